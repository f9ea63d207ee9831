-- What every script begins with. KEYS[1] is the index of all; every key has the namespace in braces, so that all of
-- them are in one slot of a cluster. ARGV[1] is what keys begin with, ARGV[2] the time in microseconds. What a step does
-- is what `Entry::step` does.
--
-- A confirmation is a hash: `body`, what never changes, as JSON; and what does: `state`, `expires`, `needs`, `yes` (how
-- many), `link`, `attempt`, `decided`, and `votes`, one JSON object a line.
local prefix, now = ARGV[1], tonumber(ARGV[2])
local all, outbox, tries = KEYS[1], prefix .. 'outbox', prefix .. 'tries'

local function key(id)
    return prefix .. 'e:' .. id
end

local function field(id, name)
    return redis.call('HGET', key(id), name)
end

local function set(id, ...)
    redis.call('HSET', key(id), ...)
end

local function fields(id)
    return redis.call('HMGET', key(id), 'body', 'state', 'votes', 'link', 'attempt', 'decided')
end

-- body, expires, needs and link as they come from the caller; kept some time beyond its end.
local function begin(id, body, asked, expires, needs, link, keep)
    if redis.call('EXISTS', key(id)) == 1 then
        return
    end
    set(id, 'body', body, 'state', 'pending', 'expires', expires, 'needs', needs, 'yes', '0', 'link', link,
        'votes', '', 'attempt', '', 'decided', '')
    redis.call('PEXPIREAT', key(id), keep)
    redis.call('ZADD', all, asked, id)
end

-- The state, after noticing that the time is over.
local function state_of(id)
    local state = field(id, 'state')
    local expires = field(id, 'expires')
    if (state == 'pending' or state == 'approved') and now >= tonumber(expires) then
        state = 'expired'
        set(id, 'state', state, 'decided', expires)
    end
    return state
end
