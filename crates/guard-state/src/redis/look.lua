-- ARGV[3] says what is looked at: `revision`; `snapshot`; `changes`, since the revision ARGV[4]; `list` and `set`, the
-- cells with limit, key and window ARGV[4..6], each empty for any or with `=` before it, `set` to what ARGV[7] says.
local what = ARGV[3]

local function each_cell(names, run)
    for from = 1, #names, MOST_ARGUMENTS do
        local some, keys = { unpack(names, from, math.min(from + MOST_ARGUMENTS - 1, #names)) }, {}
        for at, name in ipairs(some) do
            keys[at] = key('c:', name)
        end
        for at, row in ipairs(fetch(keys)) do
            run(some[at], cell_of(row))
        end
    end
end

local function totals(names)
    local each = {}
    each_cell(names, function(name, cell)
        each[#each + 1] = name
        each[#each + 1] = cell and used(cell) or ''
    end)
    return each
end

if what == 'revision' then
    return finish({ expired, 'revision', revision })
elseif what == 'changes' then
    local after = tonumber(ARGV[4])
    if after >= followable and after <= revision then
        local from = string.format('(%.0f', after)
        local names = redis.call('ZRANGEBYSCORE', prefix .. 'changed', from, '+inf')
        for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'drops', from, '+inf')) do
            -- Of a cell that has been opened again since, its newer change tells what it holds.
            if redis.call('EXISTS', key('c:', name)) == 0 then
                names[#names + 1] = name
            end
        end
        return finish({ expired, 'changes', revision, totals(names) })
    end
    what = 'snapshot'
end
local names = redis.call('ZRANGE', prefix .. 'changed', 0, -1)
if what == 'snapshot' then
    return finish({ expired, 'snapshot', revision, totals(names) })
end

local function fits(wanted, found)
    return wanted == '' or wanted == '=' .. found
end

local each = {}
each_cell(names, function(name, cell)
    local limit, whose, window = parts(name)
    if fits(ARGV[4], limit) and fits(ARGV[5], whose) and fits(ARGV[6], window) then
        refresh(cell, cell.max)
        each[#each + 1] = {
            name, cell.spent, cell.reserved, cell.open, cell.max, cell.kind, cell.ends < NEVER and cell.ends or '',
            cell.algorithm, cell.span, cell.warned,
        }
        if what == 'set' then
            if cell.slots then
                cell.slots = {}
            elseif cell.since then
                cell.since = now
            end
            cell.spent, cell.warned = 0, 0
            spend(cell, tonumber(ARGV[7]))
            touched[name] = cell
            order[#order + 1] = name
        end
    end
end)
if what == 'set' then
    write()
end
return finish({ expired, 'cells', each })
