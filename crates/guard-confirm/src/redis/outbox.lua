-- ARGV[3] says what: `claim` until ARGV[4]; `tell`, that ARGV[4] is delivered, or is to be tried again at ARGV[5].
if ARGV[3] == 'tell' then
    local id, again = ARGV[4], ARGV[5]
    if again == '' then
        redis.call('ZREM', outbox, id)
        redis.call('HDEL', tries, id)
    else
        redis.call('ZADD', outbox, 'XX', again, id)
    end
    return { 'taken' }
end
while true do
    local id = redis.call('ZRANGEBYSCORE', outbox, '-inf', now, 'LIMIT', 0, 1)[1]
    if not id then
        return {}
    end
    if redis.call('EXISTS', key(id)) == 1 then
        redis.call('ZADD', outbox, ARGV[4], id)
        return { tostring(redis.call('HINCRBY', tries, id, 1) - 1), fields(id) }
    end
    -- It was forgotten meanwhile: there is nothing to tell.
    redis.call('ZREM', outbox, id)
    redis.call('HDEL', tries, id)
end
