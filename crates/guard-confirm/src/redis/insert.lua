-- ARGV[3] the id, ARGV[4..9] as `begin` wants them, ARGV[10] `yes` if it is to be told of.
begin(ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
if ARGV[10] == 'yes' then
    redis.call('ZADD', outbox, 'NX', ARGV[5], ARGV[3])
end
return { 'taken' }
