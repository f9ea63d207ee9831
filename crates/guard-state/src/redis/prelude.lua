-- What every script begins with: the time, the cells and the reservations. KEYS[1] is the namespace's clock, and whatever
-- else the script reads at once stands in KEYS too; every key has the namespace in braces, so that all of them are in one
-- slot of a cluster. ARGV[1] is what keys begin with, ARGV[2] the time in microseconds, or empty for the server's own.
--
-- The arithmetic is that of `cell.rs`. Numbers are floats here, exact up to 2^53, and are kept as floats of eight bytes: a
-- charge is a handful of commands over rows that are read and written whole, since a command, and a number's digits, cost
-- the server more than what is computed here. What never comes is infinite: an end, a threshold.
local prefix, given = ARGV[1], ARGV[2]
local SLOTS, LARGEST, DAY, NEVER = 32, 9007199254740991, 86400000, math.huge
-- Of one command: Lua's stack takes so many. Even, for they come in pairs.
local MOST_ARGUMENTS = 1000

local function fetch(keys)
    if #keys <= MOST_ARGUMENTS then
        return redis.call('MGET', unpack(keys))
    end
    local rows = {}
    for at = 1, #keys, MOST_ARGUMENTS do
        for _, row in ipairs(redis.call('MGET', unpack(keys, at, math.min(at + MOST_ARGUMENTS - 1, #keys)))) do
            rows[#rows + 1] = row
        end
    end
    return rows
end

local rows = fetch(KEYS)

-- The layout of the keys. Every script looks before it touches anything: what another version wrote is left alone. The
-- first layout's clock was a hash; in all others the version is the clock's first byte. Then the latest time, the
-- revision, since when changes can be followed, and when at the earliest a lease or a cell is due to end.
local VERSION, CLOCK = 2, '>Bdddd'

local latest, revision, followable, due = -LARGEST, 0, 0, NEVER
if rows[1] then
    local version = string.byte(rows[1])
    if version ~= VERSION then
        return { {}, 'version', tostring(version), tostring(VERSION) }
    end
    version, latest, revision, followable, due = struct.unpack(CLOCK, rows[1])
elseif redis.call('EXISTS', KEYS[1]) == 1 then
    return { {}, 'version', redis.call('HGET', KEYS[1], 'version') or '1', tostring(VERSION) }
end
local written, due_written = revision, due
local now
if given == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(given)
end
if now < latest then
    now = latest
end

local function clock()
    written, due_written = revision, due
    return struct.pack(CLOCK, VERSION, now, revision, followable, due)
end

-- Writes the clock if anything was written that it does not tell.
local function finish(answer)
    if revision ~= written or due ~= due_written then
        redis.call('SET', KEYS[1], clock())
    end
    return answer
end

local function key(kind, name)
    return prefix .. kind .. name
end

-- A cell's row: kind, algorithm, spent, reserved, open, warned, maximum, end and span; then the meter, which is since when
-- a bucket leaks, or a sliding window's slots and what each holds. The row of a budget of which nothing is reserved, as of
-- most between two calls, leaves out what is zero: it is known by its length.
local CELL, PLAIN, PLAIN_LENGTH = '>BBddddddd', '>BBddd', 26

local function cell_of(row)
    if not row then
        return false
    end
    local kind, algorithm, spent, max, ends, at
    local reserved, open, warned, span = 0, 0, 0, 0
    if #row == PLAIN_LENGTH then
        kind, algorithm, spent, max, ends = struct.unpack(PLAIN, row)
    else
        kind, algorithm, spent, reserved, open, warned, max, ends, span, at = struct.unpack(CELL, row)
    end
    local cell = {
        kind = kind, algorithm = algorithm, spent = spent, reserved = reserved, open = open, warned = warned, max = max,
        ends = ends, span = span,
        -- Whether it stands in the index of what ends, there or earlier.
        listed = open == 0 and ends,
    }
    if algorithm == 1 then
        cell.slots = {}
        while at <= #row do
            local slot, amount, after = struct.unpack('>dd', row, at)
            cell.slots[#cell.slots + 1] = { slot, amount }
            at = after
        end
    elseif algorithm == 2 then
        cell.since = struct.unpack('>d', row, at)
    end
    return cell
end

local function row_of(cell)
    if cell.algorithm == 0 and cell.reserved == 0 and cell.open == 0 and cell.warned == 0 and cell.span == 0 then
        return struct.pack(PLAIN, cell.kind, cell.algorithm, cell.spent, cell.max, cell.ends)
    end
    local row = struct.pack(
        CELL, cell.kind, cell.algorithm, cell.spent, cell.reserved, cell.open, cell.warned, cell.max, cell.ends, cell.span
    )
    if cell.slots then
        local each = { row }
        for at, slot in ipairs(cell.slots) do
            each[at + 1] = struct.pack('>dd', slot[1], slot[2])
        end
        return table.concat(each)
    elseif cell.since then
        return row .. struct.pack('>d', cell.since)
    end
    return row
end

local function list(kind, ends, name)
    redis.call('ZADD', prefix .. kind, ends, name)
    due = math.min(due, ends)
end

-- The cells of an operation, each read once and written once: by name, `false` where there is none.
local touched, order = {}, {}

local function keep(name, row)
    if touched[name] == nil then
        touched[name] = cell_of(row)
        order[#order + 1] = name
    end
end

local function write()
    local each, changed = { KEYS[1], '' }, {}
    for _, name in ipairs(order) do
        local cell = touched[name]
        if cell then
            revision = revision + 1
            changed[#changed + 1] = revision
            changed[#changed + 1] = name
            each[#each + 1] = key('c:', name)
            each[#each + 1] = row_of(cell)
            if cell.open == 0 and cell.ends < (cell.listed or NEVER) then
                list('ends', cell.ends, name)
            end
        end
    end
    each[2] = clock()
    for at = 1, #changed, MOST_ARGUMENTS do
        redis.call('ZADD', prefix .. 'changed', unpack(changed, at, math.min(at + MOST_ARGUMENTS - 1, #changed)))
    end
    for at = 1, #each, MOST_ARGUMENTS do
        redis.call('MSET', unpack(each, at, math.min(at + MOST_ARGUMENTS - 1, #each)))
    end
    touched, order = {}, {}
end

local function used(cell)
    return cell.spent + cell.reserved
end

-- What meters do, for the cells that have one: made when it is first asked for, as the functions of a script are made
-- again for each call.
local made_meters

local function meters()
    if made_meters then
        return made_meters
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

    -- When nothing in it will count any more.
    local function set_end(cell)
        if cell.slots then
            local last = cell.slots[#cell.slots]
            cell.ends = last and leaves(last[1], cell.span) or now
        else
            cell.ends = cell.since + drain_time(cell.spent, cell.max, cell.span)
        end
    end

    local function refresh(cell, max)
        if cell.slots then
            while cell.slots[1] and leaves(cell.slots[1][1], cell.span) <= now do
                cell.spent = cell.spent - cell.slots[1][2]
                table.remove(cell.slots, 1)
            end
            return
        end
        local each, every = leak(max, cell.span)
        local times = math.floor(math.max(now - cell.since, 0) / every)
        cell.spent = math.max(cell.spent - times * each, 0)
        cell.since = cell.since + times * every
        if cell.spent == 0 then
            cell.since = math.max(now, cell.since)
        end
    end

    local function spend(cell, amount)
        if cell.since then
            cell.spent = math.max(cell.spent + amount, 0)
            return set_end(cell)
        end
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
        set_end(cell)
    end

    -- How long it takes until a charge fits, by what will have left by then; nothing where that is never enough.
    local function wait(cell, charge)
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

    made_meters = { refresh = refresh, set_end = set_end, spend = spend, wait = wait }
    return made_meters
end

local function refresh(cell, max)
    if cell.algorithm ~= 0 then
        meters().refresh(cell, max)
    end
end

local function spend(cell, amount)
    if cell.algorithm ~= 0 then
        return meters().spend(cell, amount)
    end
    cell.spent = cell.spent + amount
end

local function open_cell(charge)
    local cell = {
        kind = charge.kind, algorithm = charge.algorithm, spent = 0, reserved = 0, open = 0, warned = 0, max = charge.max,
        ends = charge.ends or NEVER, span = charge.span, listed = false,
    }
    if charge.algorithm == 1 then
        cell.slots = {}
    elseif charge.algorithm == 2 then
        cell.since = now
    end
    touched[charge.name] = cell
    return cell
end

-- A reservation's row: its digest, its lease and how it was closed, 0 while it is open; then its charges: kind, algorithm,
-- amount, maximum, span and name.
local RESERVATION, HELD = '>c8dB', '>BBdddI4c0'

local function reservation_of(row)
    if not row then
        return nil
    end
    local digest, lease, closed, at = struct.unpack(RESERVATION, row)
    local charges = {}
    while at <= #row do
        local kind, algorithm, amount, max, span, name, after = struct.unpack(HELD, row, at)
        charges[#charges + 1] =
            { kind = kind, algorithm = algorithm, amount = amount, max = max, span = span, name = name }
        at = after
    end
    return { digest = digest, lease = lease, closed = closed, charges = charges }
end

local function row_of_reservation(kept)
    local each = { struct.pack(RESERVATION, kept.digest, kept.lease, kept.closed) }
    for at, charge in ipairs(kept.charges) do
        each[at + 1] = struct.pack(
            HELD, charge.kind, charge.algorithm, charge.amount, charge.max, charge.span, #charge.name, charge.name
        )
    end
    return table.concat(each)
end

-- What ran out meanwhile: id, then name and amount of what it held, told to the caller.
local expired = {}

-- What ends reservations; most charges have no need of it.
local function endings()
    -- Reads all of them in one command.
    local function touch_all(names)
        local missing, keys = {}, {}
        for _, name in ipairs(names) do
            if touched[name] == nil then
                missing[#missing + 1] = name
                keys[#keys + 1] = key('c:', name)
            end
        end
        for at, row in ipairs(#keys > 0 and fetch(keys) or {}) do
            keep(missing[at], row)
        end
    end

    local function release(cell, charge)
        cell.open = math.max(cell.open - 1, 0)
        if charge.kind ~= 1 then
            cell.reserved = cell.reserved - charge.amount
        end
    end

    local function close(id, kept, how)
        kept.closed = how
        if how ~= 3 then
            kept.charges = {}
        end
        redis.call('ZREM', prefix .. 'leases', id)
        redis.call('SET', key('r:', id), row_of_reservation(kept), 'PX', DAY)
    end

    local function names_of(charges)
        local names = {}
        for at, charge in ipairs(charges) do
            names[at] = charge.name
        end
        return names
    end

    local function give_back(id, kept, how)
        touch_all(names_of(kept.charges))
        for _, charge in ipairs(kept.charges) do
            local cell = touched[charge.name]
            if cell then
                release(cell, charge)
            end
        end
        write()
        close(id, kept, how)
    end

    local function expire(id, kept)
        local told = { id }
        for _, charge in ipairs(kept.charges) do
            if charge.kind ~= 1 then
                told[#told + 1] = charge.name
                told[#told + 1] = charge.amount
            end
        end
        give_back(id, kept, 3)
        expired[#expired + 1] = told
    end

    local function drop(name)
        revision = revision + 1
        redis.call('DEL', key('c:', name))
        redis.call('ZREM', prefix .. 'changed', name)
        redis.call('ZADD', prefix .. 'drops', revision, name)
        local over = redis.call('ZCARD', prefix .. 'drops') - 4096
        if over > 0 then
            local oldest = redis.call('ZRANGE', prefix .. 'drops', over - 1, over - 1, 'WITHSCORES')
            followable = tonumber(oldest[2])
            redis.call('ZREMRANGEBYRANK', prefix .. 'drops', 0, over - 1)
        end
    end

    -- Carries out what is due: leases run out, and cells end.
    local function advance()
        while true do
            local ids = redis.call('ZRANGEBYSCORE', prefix .. 'leases', '-inf', now, 'LIMIT', 0, 256)
            for _, id in ipairs(ids) do
                local kept = reservation_of(redis.call('GET', key('r:', id)))
                if kept then
                    expire(id, kept)
                else
                    redis.call('ZREM', prefix .. 'leases', id)
                end
            end
            if #ids < 256 then
                break
            end
        end
        for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'ends', '-inf', now)) do
            redis.call('ZREM', prefix .. 'ends', name)
            local cell = cell_of(redis.call('GET', key('c:', name)))
            -- Whoever ends the last reservation writes the cell, and lists it again.
            if cell and cell.open == 0 then
                if cell.ends <= now then
                    drop(name)
                elseif cell.ends < NEVER then
                    list('ends', cell.ends, name)
                end
            end
        end
        due = NEVER
        for _, kind in ipairs({ 'leases', 'ends' }) do
            local first = redis.call('ZRANGE', prefix .. kind, 0, 0, 'WITHSCORES')
            due = math.min(due, tonumber(first[2]) or NEVER)
        end
    end

    return { touch_all = touch_all, names_of = names_of, release = release, close = close, give_back = give_back,
        expire = expire, advance = advance }
end

-- Limit, key and window of a name.
local function parts(name)
    local length, rest = string.match(name, '^(%d+):(.*)$')
    local limit = string.sub(rest, 1, length)
    length, rest = string.match(string.sub(rest, length + 1), '^(%d+):(.*)$')
    return limit, string.sub(rest, 1, length), string.sub(rest, length + 1)
end

if due <= now then
    endings().advance()
    rows = fetch(KEYS)
end
