-- KEYS[2] is the reservation, ARGV[3] its id, ARGV[4] `settle` or `refund`, then limits and what they really came to, in
-- pairs.
local id, settles = ARGV[3], ARGV[4] == 'settle'
local kept, ending = reservation_of(rows[2]), endings()
if not kept then
    return finish({ expired, 'unknown' })
end
if kept.closed == 0 and kept.lease <= now then
    ending.expire(id, kept)
end
local before = kept.closed
if before == 1 or before == 2 or not settles and before == 3 then
    return finish({ expired, 'closed', before, {} })
end
if not settles then
    ending.give_back(id, kept, 2)
    return finish({ expired, 'closed', before, {} })
end
ending.touch_all(ending.names_of(kept.charges))
local actual = {}
for at = 5, #ARGV, 2 do
    actual[ARGV[at]] = tonumber(ARGV[at + 1])
end
for _, charge in ipairs(kept.charges) do
    local limit = parts(charge.name)
    local spent = actual[limit] or charge.amount
    local cell = touched[charge.name]
    if not cell and charge.algorithm ~= 0 then
        cell = open_cell(charge)
    end
    if cell then
        refresh(cell, cell.max)
        if before == 0 then
            ending.release(cell, charge)
        end
        if charge.kind == 0 then
            spend(cell, spent)
        elseif charge.kind == 1 then
            spend(cell, spent - charge.amount)
        end
        if used(cell) > LARGEST then
            return finish({ expired, 'overflow', limit })
        end
    end
end
local debt = {}
for _, charge in ipairs(kept.charges) do
    local cell = touched[charge.name]
    if cell and used(cell) > charge.max then
        debt[#debt + 1] = parts(charge.name)
        debt[#debt + 1] = used(cell) - charge.max
    end
end
write()
ending.close(id, kept, 1)
return finish({ expired, 'closed', before, debt })
