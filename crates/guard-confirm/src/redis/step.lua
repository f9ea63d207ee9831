-- ARGV[3] the id, ARGV[4] what to begin with if it is not there: empty, or the body; ARGV[5..9] asked, expires, needs,
-- link, until when it is kept. ARGV[10] the step: `vote`, with yes or no, who, the vote as JSON and the link's hash or
-- nothing; `consume`, with the attempt; `expire`.
local id, what = ARGV[3], ARGV[10]
if ARGV[4] ~= '' then
    begin(id, ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
end
if redis.call('EXISTS', key(id)) == 0 then
    return {}
end
local state = state_of(id)

local function answer(taken)
    return { taken and 'taken' or 'refused', fields(id) }
end

if what == 'expire' then
    return answer(state == 'expired')
elseif what == 'consume' then
    if state == 'consumed' then
        return answer(field(id, 'attempt') == ARGV[11])
    elseif state ~= 'approved' then
        return answer(false)
    end
    set(id, 'state', 'consumed', 'decided', ARGV[2], 'attempt', ARGV[11])
    return answer(true)
end

local approves, by, vote, link = ARGV[11] == 'yes', ARGV[12], ARGV[13], ARGV[14]
local stands = state == 'rejected'
if approves then
    stands = state == 'pending' or state == 'approved'
end
if stands and field(id, 'by:' .. by) == ARGV[11] then
    return answer(true)
elseif state ~= 'pending' then
    return answer(false)
end
if link ~= '' then
    if field(id, 'link') ~= link then
        return { 'link', fields(id) }
    end
    set(id, 'link', '')
end
set(id, 'votes', field(id, 'votes') .. vote .. '\n', 'by:' .. by, ARGV[11])
if not approves then
    set(id, 'state', 'rejected', 'decided', ARGV[2])
elseif redis.call('HINCRBY', key(id), 'yes', 1) >= tonumber(field(id, 'needs')) then
    set(id, 'state', 'approved', 'decided', ARGV[2])
end
return answer(true)
