-- ARGV[3] says what is looked at: `revision`; `snapshot`; `changes`, since the revision ARGV[4]; `list` and `set`, the
-- cells with limit, key and window ARGV[4..6], each empty for any or with `=` before it, `set` to what ARGV[7] says.
local what = ARGV[3]

local function totals(names)
    local each = {}
    for _, name in ipairs(names) do
        local cell = load(name)
        each[#each + 1] = name
        each[#each + 1] = cell and digits(used(cell)) or ''
    end
    return each
end

if what == 'revision' then
    return finish({ expired, 'revision', digits(revision) })
elseif what == 'changes' then
    local after = tonumber(ARGV[4])
    if after >= followable and after <= revision then
        local from = '(' .. digits(after)
        local names = redis.call('ZRANGEBYSCORE', prefix .. 'changed', from, '+inf')
        for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'drops', from, '+inf')) do
            -- Of a cell that has been opened again since, its newer change tells what it holds.
            if redis.call('EXISTS', key('c:', name)) == 0 then
                names[#names + 1] = name
            end
        end
        return finish({ expired, 'changes', digits(revision), totals(names) })
    end
    what = 'snapshot'
end
local names = redis.call('ZRANGE', prefix .. 'changed', 0, -1)
if what == 'snapshot' then
    return finish({ expired, 'snapshot', digits(revision), totals(names) })
end

local function fits(wanted, found)
    return wanted == '' or wanted == '=' .. found
end

local each = {}
for _, name in ipairs(names) do
    local limit, key, window = parts(name)
    if fits(ARGV[4], limit) and fits(ARGV[5], key) and fits(ARGV[6], window) then
        local cell = load(name)
        refresh(cell, cell.max)
        each[#each + 1] = {
            name, digits(cell.spent), digits(cell.reserved), digits(cell.open), digits(cell.max), cell.kind,
            cell.ends and digits(cell.ends) or '', cell.algorithm, digits(cell.span), digits(cell.warned),
        }
        if what == 'set' then
            if cell.slots then
                cell.slots = {}
            elseif cell.since then
                cell.since = now
            end
            cell.spent, cell.warned = 0, 0
            spend(cell, tonumber(ARGV[7]))
            redis.call('ZADD', prefix .. 'changed', save(name, cell), name)
        end
    end
end
return finish({ expired, 'cells', each })
