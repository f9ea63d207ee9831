-- What every script begins with: the time, the cells and the reservations. KEYS[1] is the namespace's clock; every key
-- has the namespace in braces, so that all of them are in one slot of a cluster. ARGV[1] is what keys begin with,
-- ARGV[2] the time in microseconds, or empty for the server's own.
--
-- The arithmetic is that of `cell.rs`. Numbers are floats here, exact up to 2^53; they are written with all digits.
local prefix, given = ARGV[1], ARGV[2]
local SLOTS, LARGEST, DAY = 32, 9007199254740991, 86400000
-- Of one command: Lua's stack takes so many. Even, for they come in pairs.
local MOST_ARGUMENTS = 1000

local function digits(number)
    return string.format('%.0f', number)
end

-- The version of what is kept here, beside the clock. Version 1 began without saying so. Whatever a newer program keeps
-- is not touched: it may mean what this one does not know. The first change of the layout adds its migration here, in the
-- script that finds the older version.
local VERSION = 1

local clock = redis.call('HMGET', KEYS[1], 'latest', 'revision', 'followable', 'version')
if clock[4] and tonumber(clock[4]) ~= VERSION then
    return { {}, 'version', clock[4], tostring(VERSION) }
end
local latest = tonumber(clock[1]) or -LARGEST
local revision, followable = tonumber(clock[2]) or 0, tonumber(clock[3]) or 0
local seen = revision
local now
if given == '' then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
else
    now = tonumber(given)
end
if now < latest then
    now = latest
end

local function key(kind, name)
    return prefix .. kind .. name
end

-- Those that change while a cell is there.
local CHANGING = { 'spent', 'reserved', 'open', 'warned', 'max', 'ends', 'meter' }
local FIELDS = { 'spent', 'reserved', 'open', 'warned', 'max', 'kind', 'ends', 'algorithm', 'span', 'meter' }

local function load(name)
    local row = redis.call('HMGET', key('c:', name), unpack(FIELDS))
    if not row[1] then
        return nil
    end
    local cell = {
        spent = tonumber(row[1]), reserved = tonumber(row[2]), open = tonumber(row[3]), warned = tonumber(row[4]),
        max = tonumber(row[5]), kind = row[6], ends = tonumber(row[7]), algorithm = row[8], span = tonumber(row[9]),
    }
    cell.was = { cell.spent, cell.reserved, cell.open, cell.warned, cell.max, cell.ends or '', row[10] }
    if cell.algorithm == '1' then
        cell.slots = {}
        for slot, amount in string.gmatch(row[10], '(-?%d+):(-?%d+)') do
            cell.slots[#cell.slots + 1] = { tonumber(slot), tonumber(amount) }
        end
    elseif cell.algorithm == '2' then
        cell.since = tonumber(row[10])
    end
    if cell.open == 0 then
        cell.listed = cell.ends
    end
    return cell
end

-- Writes a cell; of one that is there what has changed, which of most charges is one number: the server waits for what
-- is written to be on its disk.
local function save(name, cell)
    revision = revision + 1
    local meter = ''
    if cell.slots then
        local each = {}
        for at, slot in ipairs(cell.slots) do
            each[at] = digits(slot[1]) .. ':' .. digits(slot[2])
        end
        meter = table.concat(each, ' ')
    elseif cell.since then
        meter = digits(cell.since)
    end
    local is = { cell.spent, cell.reserved, cell.open, cell.warned, cell.max, cell.ends or '', meter }
    local fields = cell.was and {} or { 'kind', cell.kind, 'algorithm', cell.algorithm, 'span', digits(cell.span) }
    for at, value in ipairs(is) do
        if not cell.was or value ~= cell.was[at] then
            fields[#fields + 1] = CHANGING[at]
            fields[#fields + 1] = type(value) == 'number' and digits(value) or value
        end
    end
    if #fields > 0 then
        redis.call('HSET', key('c:', name), unpack(fields))
    end
    if cell.ends and cell.open == 0 and cell.listed ~= cell.ends then
        redis.call('ZADD', prefix .. 'ends', digits(cell.ends), name)
    end
    return digits(revision)
end

local function drop(name)
    revision = revision + 1
    redis.call('DEL', key('c:', name))
    redis.call('ZREM', prefix .. 'changed', name)
    redis.call('ZADD', prefix .. 'drops', digits(revision), name)
    local over = redis.call('ZCARD', prefix .. 'drops') - 4096
    if over > 0 then
        local oldest = redis.call('ZRANGE', prefix .. 'drops', over - 1, over - 1, 'WITHSCORES')
        followable = tonumber(oldest[2])
        redis.call('ZREMRANGEBYRANK', prefix .. 'drops', 0, over - 1)
    end
end

-- Writes the clock if anything was written.
local function finish(answer)
    if revision ~= seen then
        redis.call('HSET', KEYS[1], 'latest', digits(now), 'revision', digits(revision),
            'followable', digits(followable), 'version', digits(VERSION))
    end
    return answer
end

local function used(cell)
    return cell.spent + cell.reserved
end

local function slot_length(span)
    return math.floor((span + SLOTS - 1) / SLOTS)
end

local function leaves(slot, span)
    return (slot + 1) * slot_length(span) + span
end

local function leak(max, span)
    if max <= 0 then
        return 0, span
    elseif max <= span then
        return 1, math.floor((span + max - 1) / max)
    end
    return math.floor(max / span), 1
end

local function drain_time(units, max, span)
    local each, every = leak(max, span)
    if each == 0 then
        return span
    end
    return math.floor((units + each - 1) / each) * every
end

local function refresh(cell, max)
    if cell.slots then
        while cell.slots[1] and leaves(cell.slots[1][1], cell.span) <= now do
            cell.spent = cell.spent - cell.slots[1][2]
            table.remove(cell.slots, 1)
        end
    elseif cell.since then
        local each, every = leak(max, cell.span)
        local times = math.floor(math.max(now - cell.since, 0) / every)
        cell.spent = math.max(cell.spent - times * each, 0)
        cell.since = cell.since + times * every
        if cell.spent == 0 then
            cell.since = math.max(now, cell.since)
        end
    end
end

-- Of a meter: when nothing in it will count any more.
local function set_end(cell)
    if cell.slots then
        local last = cell.slots[#cell.slots]
        cell.ends = last and leaves(last[1], cell.span) or now
    elseif cell.since then
        cell.ends = cell.since + drain_time(cell.spent, cell.max, cell.span)
    end
end

local function spend(cell, amount)
    if cell.slots then
        local slot, last = math.floor(now / slot_length(cell.span)), cell.slots[#cell.slots]
        if amount < 0 then
            local left = -amount
            for at = #cell.slots, 1, -1 do
                local taken = math.min(left, cell.slots[at][2])
                cell.slots[at][2] = cell.slots[at][2] - taken
                left = left - taken
            end
            amount = amount + left
        elseif last and last[1] >= slot then
            last[2] = last[2] + amount
        else
            cell.slots[#cell.slots + 1] = { slot, amount }
        end
        cell.spent = cell.spent + amount
    elseif cell.since then
        cell.spent = math.max(cell.spent + amount, 0)
    else
        cell.spent = cell.spent + amount
    end
    set_end(cell)
end

local function release(cell, charge)
    cell.open = math.max(cell.open - 1, 0)
    if charge.kind ~= '1' then
        cell.reserved = cell.reserved - charge.amount
    end
end

-- A reservation: its digest, its lease, how it was closed ('0' while it is open), and its charges.
local function reservation(id)
    local row = redis.call('HMGET', key('r:', id), 'digest', 'lease', 'closed', 'charges')
    if not row[1] then
        return nil
    end
    local charges = {}
    if row[4] ~= '' then
        for at, charge in ipairs(cmsgpack.unpack(row[4])) do
            charges[at] = {
                name = charge[1], amount = tonumber(charge[2]), max = tonumber(charge[3]), kind = charge[4],
                algorithm = charge[5], span = tonumber(charge[6]),
            }
        end
    end
    return { digest = row[1], lease = tonumber(row[2]), closed = row[3], charges = charges }
end

local function pack(charges)
    local each = {}
    for at, charge in ipairs(charges) do
        each[at] = {
            charge.name, digits(charge.amount), digits(charge.max), charge.kind, charge.algorithm,
            digits(charge.span),
        }
    end
    return #each == 0 and '' or cmsgpack.pack(each)
end

local function close(id, kept, how)
    kept.closed = how
    redis.call('ZREM', prefix .. 'leases', id)
    redis.call('HSET', key('r:', id), 'closed', how)
    if how ~= '3' then
        redis.call('HSET', key('r:', id), 'charges', '')
    end
    redis.call('PEXPIRE', key('r:', id), DAY)
end

-- The cells of an operation, each read once and written once.
local touched, order = {}, {}

local function touch(name)
    if touched[name] == nil then
        touched[name] = load(name) or false
        order[#order + 1] = name
    end
    return touched[name]
end

local function write()
    local changed = {}
    for _, name in ipairs(order) do
        if touched[name] then
            changed[#changed + 1] = save(name, touched[name])
            changed[#changed + 1] = name
        end
    end
    for at = 1, #changed, MOST_ARGUMENTS do
        redis.call('ZADD', prefix .. 'changed', unpack(changed, at, math.min(at + MOST_ARGUMENTS - 1, #changed)))
    end
    touched, order = {}, {}
end

local function open_cell(charge, ends)
    local cell = {
        spent = 0, reserved = 0, open = 0, warned = 0, max = charge.max, kind = charge.kind, ends = ends,
        algorithm = charge.algorithm, span = charge.span,
    }
    if charge.algorithm == '1' then
        cell.slots = {}
    elseif charge.algorithm == '2' then
        cell.since = now
    end
    touched[charge.name] = cell
    return cell
end

local function give_back(id, kept, how)
    for _, charge in ipairs(kept.charges) do
        local cell = touch(charge.name)
        if cell then
            release(cell, charge)
        end
    end
    write()
    close(id, kept, how)
end

-- What ran out meanwhile: id, then name and amount of what it held, told to the caller.
local expired = {}

local function expire(id, kept)
    local told = { id }
    for _, charge in ipairs(kept.charges) do
        if charge.kind ~= '1' then
            told[#told + 1] = charge.name
            told[#told + 1] = digits(charge.amount)
        end
    end
    give_back(id, kept, '3')
    expired[#expired + 1] = told
end

local function advance()
    while true do
        local due = redis.call('ZRANGEBYSCORE', prefix .. 'leases', '-inf', digits(now), 'LIMIT', 0, 256)
        for _, id in ipairs(due) do
            local kept = reservation(id)
            if kept then
                expire(id, kept)
            else
                redis.call('ZREM', prefix .. 'leases', id)
            end
        end
        if #due < 256 then
            break
        end
    end
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'ends', '-inf', digits(now))) do
        redis.call('ZREM', prefix .. 'ends', name)
        local row = redis.call('HMGET', key('c:', name), 'ends', 'open')
        local ends = tonumber(row[1])
        -- Whoever ends the last reservation writes the cell, and lists it again.
        if ends and tonumber(row[2]) == 0 then
            if ends <= now then
                drop(name)
            else
                redis.call('ZADD', prefix .. 'ends', digits(ends), name)
            end
        end
    end
end

-- Limit, key and window of a name.
local function parts(name)
    local length, rest = string.match(name, '^(%d+):(.*)$')
    local limit = string.sub(rest, 1, length)
    length, rest = string.match(string.sub(rest, length + 1), '^(%d+):(.*)$')
    return limit, string.sub(rest, 1, length), string.sub(rest, length + 1)
end

advance()
