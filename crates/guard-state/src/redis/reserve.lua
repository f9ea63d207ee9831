-- ARGV[3] the reservation, ARGV[4] its digest, ARGV[5] the lease in microseconds or empty to spend at once, then eight
-- for each charge: name, amount, maximum, kind, algorithm, span, end, threshold.
local id, digest, lease = ARGV[3], ARGV[4], tonumber(ARGV[5])
local charges = {}
for at = 6, #ARGV, 8 do
    charges[#charges + 1] = {
        name = ARGV[at], amount = tonumber(ARGV[at + 1]), max = tonumber(ARGV[at + 2]), kind = ARGV[at + 3],
        algorithm = ARGV[at + 4], span = tonumber(ARGV[at + 5]), ends = tonumber(ARGV[at + 6]),
        threshold = tonumber(ARGV[at + 7]),
    }
end

local function totals()
    local each = {}
    for at, charge in ipairs(charges) do
        local cell = touch(charge.name)
        each[at] = cell and digits(used(cell)) or ''
    end
    return each
end

local already = reservation(id)
if already and (already.closed == '0' or already.closed == '1') then
    if already.digest ~= digest then
        return finish({ expired, 'reused' })
    end
    return finish({ expired, 'charged', digits(revision), totals(), {} })
end
for at, charge in ipairs(charges) do
    if charge.ends and charge.ends <= now then
        return finish({ expired, 'closed', at })
    end
end

-- How long a charge that does not fit has to wait: microseconds, or nothing where it waits for ever.
local function wait(cell, charge)
    if charge.algorithm == '0' then
        return charge.ends and charge.ends - now
    elseif cell.reserved + charge.amount > charge.max then
        return nil
    end
    local excess = charge.amount - (charge.max - used(cell))
    if cell.since then
        return cell.since + drain_time(excess, charge.max, cell.span) - now
    end
    local freed = 0
    for _, slot in ipairs(cell.slots) do
        freed = freed + slot[2]
        if freed >= excess then
            return leaves(slot[1], cell.span) - now
        end
    end
    return nil
end

local stopped, warnings = nil, {}
for at, charge in ipairs(charges) do
    local cell = touch(charge.name) or open_cell(charge, charge.ends)
    if cell.algorithm ~= charge.algorithm or cell.span ~= charge.span then
        return finish({ expired, 'disagree', at, 'algorithm' })
    end
    if charge.algorithm == '0' then
        local one, two = cell.ends, charge.ends
        if (one == nil) ~= (two == nil) or one and math.abs(one - two) > 1000000 then
            return finish({ expired, 'disagree', at, 'end' })
        end
    end
    refresh(cell, charge.max)
    if charge.amount > 0 and charge.amount > charge.max - used(cell) then
        local wait = wait(cell, charge)
        if not stopped or stopped.wait and (not wait or wait > stopped.wait) then
            stopped = { at = at, wait = wait, remaining = math.max(charge.max - used(cell), 0) }
        end
    end
    cell.max = charge.max
    if charge.kind == '1' or charge.kind == '0' and not lease then
        spend(cell, charge.amount)
    elseif lease then
        cell.reserved = cell.reserved + charge.amount
    end
    if lease then
        cell.open = cell.open + 1
    end
    set_end(cell)
    if charge.threshold and used(cell) >= charge.threshold and cell.warned < charge.threshold then
        cell.warned = charge.threshold
        warnings[#warnings + 1] = at
        warnings[#warnings + 1] = digits(used(cell))
    end
end
if stopped then
    local wait = stopped.wait and digits(stopped.wait) or ''
    return finish({ expired, 'exceeded', stopped.at, digits(stopped.remaining), wait })
end
local totals = totals()
write()
local ends = now + (lease or 0)
redis.call('HSET', key('r:', id), 'digest', digest, 'lease', digits(ends), 'closed', lease and '0' or '1',
    'charges', lease and pack(charges) or '')
if lease then
    redis.call('PERSIST', key('r:', id))
    redis.call('ZADD', prefix .. 'leases', digits(ends), id)
else
    redis.call('PEXPIRE', key('r:', id), DAY)
end
return finish({ expired, 'charged', digits(revision), totals, warnings })
