-- KEYS[2] is the reservation, the others are the cells of the charges. ARGV[3] is its digest, the lease in microseconds or
-- less than nothing to spend at once, and what there is to say of each charge: kind, algorithm, amount, maximum, span, end,
-- threshold.
local digest, lease, at = struct.unpack('>c8d', ARGV[3])
if lease < 0 then
    lease = nil
end
local CHARGE, name_at = '>ddddddd', #prefix + 3
local charges, ended = {}, nil
for number = 1, #KEYS - 2 do
    local name = string.sub(KEYS[number + 2], name_at)
    local kind, algorithm, amount, max, span, ends, threshold, after = struct.unpack(CHARGE, ARGV[3], at)
    charges[number] = {
        name = name, kind = kind, algorithm = algorithm, amount = amount, max = max, span = span, ends = ends,
        threshold = threshold,
    }
    if not ended and ends <= now then
        ended = number
    end
    at = after
    keep(name, rows[number + 2])
end

local function totals()
    local each = {}
    for at = 1, #charges do
        local cell = touched[charges[at].name]
        each[at] = cell and used(cell) or ''
    end
    return each
end

local already = reservation_of(rows[2])
if already and already.closed <= 1 then
    if already.digest ~= digest then
        return finish({ expired, 'reused' })
    end
    return finish({ expired, 'charged', revision, totals(), {} })
end
if ended then
    return finish({ expired, 'closed', ended })
end

-- How long a charge that does not fit has to wait: microseconds, or nothing where it waits for ever.
local function wait(cell, charge)
    if charge.algorithm == 0 then
        return charge.ends < NEVER and charge.ends - now or nil
    elseif cell.reserved + charge.amount <= charge.max then
        return meters().wait(cell, charge)
    end
    return nil
end

local stopped, warnings = nil, {}
for at = 1, #charges do
    local charge = charges[at]
    local cell = touched[charge.name] or open_cell(charge)
    if cell.algorithm ~= charge.algorithm or cell.span ~= charge.span then
        return finish({ expired, 'disagree', at, 'algorithm' })
    end
    -- Of two that never come the distance is no number, and not greater than one.
    if charge.algorithm == 0 and math.abs(cell.ends - charge.ends) > 1000000 then
        return finish({ expired, 'disagree', at, 'end' })
    end
    refresh(cell, charge.max)
    if charge.amount > 0 and charge.amount > charge.max - used(cell) then
        local wait = wait(cell, charge)
        if not stopped or stopped.wait and (not wait or wait > stopped.wait) then
            stopped = { at = at, wait = wait, remaining = math.max(charge.max - used(cell), 0) }
        end
    end
    cell.max = charge.max
    if charge.kind == 1 or charge.kind == 0 and not lease then
        spend(cell, charge.amount)
    elseif lease then
        cell.reserved = cell.reserved + charge.amount
    end
    if lease then
        cell.open = cell.open + 1
    end
    if cell.algorithm ~= 0 then
        meters().set_end(cell)
    end
    if used(cell) >= charge.threshold and cell.warned < charge.threshold then
        cell.warned = charge.threshold
        warnings[#warnings + 1] = at
        warnings[#warnings + 1] = used(cell)
    end
end
if stopped then
    return finish({ expired, 'exceeded', stopped.at, stopped.remaining, stopped.wait or '' })
end
local totals = totals()
if lease then
    local ends = now + lease
    list('leases', ends, string.sub(KEYS[2], name_at))
    redis.call('SET', KEYS[2], row_of_reservation({ digest = digest, lease = ends, closed = 0, charges = charges }))
else
    redis.call('SET', KEYS[2], struct.pack(RESERVATION, digest, now, 1), 'PX', DAY)
end
write()
finish()
-- Where there is nothing else to tell, revision and totals as one text, which both sides have done with sooner.
if #expired == 0 and #warnings == 0 and #totals < MOST_ARGUMENTS then
    return struct.pack('>d' .. string.rep('d', #totals), revision, unpack(totals))
end
return { expired, 'charged', revision, totals, warnings }
