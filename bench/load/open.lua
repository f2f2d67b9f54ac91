-- What wrk sends by a schedule: consumes at their intended times, whether or not earlier ones have been answered.
--
-- BENCH_RATE is how many a second, for BENCH_SECONDS, beginning BENCH_LEAD seconds after the first connection is open.
-- Every thread has its share of the schedule; the next free connection takes the next intended time, late if there
-- was none. Requests carry their intended time and that of being sent, in microseconds, as their generation_id,
-- and accepted ones bring it back. Printed are histograms by whole milliseconds, and sums.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")
local draw = dofile(here .. "accounts.lua")
local requests = dofile(here .. "requests.lua")
local threads = dofile(here .. "threads.lua")
local ffi = require("ffi")
ffi.cdef[[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local CLOCK_MONOTONIC = 1
local BODY = '{"feature":"interior","generation_id":"%012d/%012d"}'
local NEVER_MS = 3600000
local HISTOGRAMS = { "own_lag", "no_connection", "accepted_from_intended", "accepted_from_sent" }
local SUMS = {
  "planned", "sent", "sent_sum", "accepted", "accepted_sent_sum", "accepted_in_schedule", "refused",
  "refused_answered_sum", "other",
}
local SECONDS = tonumber(os.getenv("BENCH_SECONDS"))

local time = ffi.new("bench_time")
local function now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) * 1000000 + tonumber(time.nanoseconds) / 1000
end

local function add(histogram, microseconds)
  local bin = math.max(0, math.floor(microseconds / 1000))
  histogram[bin] = (histogram[bin] or 0) + 1
end

-- Intended times that a connection was given and has not sent for yet; they come up in their order.
local waiting, oldest, newest = {}, 1, 0
local start, interval, first

function init()
  math.randomseed(id * 7919 + os.time())
  consume = requests.poster(id, BODY:format(0, 0))
  local rate = tonumber(os.getenv("BENCH_RATE")) / tonumber(os.getenv("BENCH_THREADS"))
  interval = 1000000 / rate
  first = interval * id / tonumber(os.getenv("BENCH_THREADS"))
  planned = math.floor(rate * SECONDS)
  for _, name in ipairs(HISTOGRAMS) do _G[name] = {} end
  for index = 2, #SUMS do _G[SUMS[index]] = 0 end
end

-- When to send the next request; called whenever a connection is free. Never before its intended time.
function delay()
  local free = now()
  start = start or free + tonumber(os.getenv("BENCH_LEAD")) * 1000000
  if newest == planned then return NEVER_MS end
  local intended = start + first + newest * interval
  newest = newest + 1
  waiting[newest] = { intended = intended, ready = math.max(intended, free) }
  add(no_connection, free - intended)
  return math.max(0, math.floor((intended - free) / 1000) + 1)
end

function request()
  -- wrk asks once before it begins, and sends nothing of that.
  if oldest > newest then return consume(draw(), "/consume") end
  local next, at = waiting[oldest], now()
  waiting[oldest] = nil
  oldest = oldest + 1
  add(own_lag, at - next.ready)
  sent, sent_sum = sent + 1, sent_sum + at - start
  return consume(draw(), "/consume", BODY:format(next.intended - start, at - start))
end

function response(status, headers, body)
  local at = now() - start
  if status == 200 then
    local intended, sent_at = body:match('"generation_id":"(%d+)/(%d+)"')
    accepted, accepted_sent_sum = accepted + 1, accepted_sent_sum + sent_at
    if at <= SECONDS * 1000000 then accepted_in_schedule = accepted_in_schedule + 1 end
    add(accepted_from_intended, at - intended)
    add(accepted_from_sent, at - sent_at)
  elseif status == 503 then
    refused, refused_answered_sum = refused + 1, refused_answered_sum + at
  else
    other = other + 1
  end
end

function done(summary, latency)
  for _, name in ipairs(SUMS) do
    local sum = 0
    for _, thread in ipairs(threads) do sum = sum + thread:get(name) end
    io.write(string.format("sum %s %.0f\n", name, sum))
  end
  for _, name in ipairs(HISTOGRAMS) do
    io.write("histogram ", name)
    for _, thread in ipairs(threads) do
      for bin, count in pairs(thread:get(name)) do io.write(" ", bin, ":", count) end
    end
    io.write("\n")
  end
  -- All answers from being sent, as wrk keeps them, by thousandths.
  io.write("all_from_sent")
  for share = 1, 1000 do io.write(" ", latency:percentile(share / 10)) end
  io.write("\n")
end
