-- ARGV[3] says what: `get` the id ARGV[4]; `list`, in the state ARGV[4] or in any, at most ARGV[5]; `sweep`, which marks
-- what has expired and forgets what expired before ARGV[4].
local what = ARGV[3]
if what == 'get' then
    if redis.call('EXISTS', key(ARGV[4])) == 0 then
        return {}
    end
    return { fields(ARGV[4]) }
end

local found = {}
local ids = redis.call('ZREVRANGE', all, 0, -1)
for _, id in ipairs(ids) do
    local state = field(id, 'state')
    if not state then
        -- It was forgotten by its time to live.
        redis.call('ZREM', all, id)
    elseif what == 'list' then
        if #found >= tonumber(ARGV[5]) then
            break
        end
        if state_of(id) == ARGV[4] or ARGV[4] == '' then
            found[#found + 1] = fields(id)
        end
    else
        local after = state_of(id)
        if after ~= state then
            found[#found + 1] = fields(id)
        end
        if tonumber(field(id, 'expires')) < tonumber(ARGV[4]) then
            redis.call('DEL', key(id))
            redis.call('ZREM', all, id)
        end
    end
end
return found
