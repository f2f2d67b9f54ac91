-- What wrk sends to gringotts-api: charges of its customers, whose keys BENCH_KEY lists, with an idempotency key each.
-- Some may fail there, so the run's figure is those that were accepted, a second.
local threads = dofile(debug.getinfo(1, "S").source:match("@?(.*/)") .. "threads.lua")
local host, run = os.getenv("BENCH_HOST"), os.getenv("BENCH_RUN")
local heads = {}
for key in os.getenv("BENCH_KEY"):gmatch("[^,]+") do
  table.insert(heads, "POST /predict HTTP/1.1\r\nHost: " .. host .. "\r\nContent-Length: 0\r\nX-API-Key: " .. key
    .. "\r\nIdempotency-Key: " .. run .. "-")
end

function init()
  math.randomseed(id * 7919 + os.time())
  sent, accepted = 0, 0
end

function request()
  sent = sent + 1
  return heads[math.random(#heads)] .. id .. "-" .. sent .. "\r\n\r\n"
end

function response(status)
  if status == 200 then
    accepted = accepted + 1
  end
end

function done(summary)
  local all = 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("accepted")
  end
  io.write(string.format("value %.2f\n", all / summary.duration * 1000000))
end
