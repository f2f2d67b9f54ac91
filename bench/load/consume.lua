-- What wrk sends: a consume for an account, each with an idempotency key of its own.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")
local draw = dofile(here .. "accounts.lua")
local body = '{"feature":"interior"}'
local run = os.getenv("BENCH_RUN")
-- The text of a request, put together by hand: wrk.format costs the load generator more than the rest.
local after_account = "/consume HTTP/1.1\r\nHost: " .. os.getenv("BENCH_HOST")
  .. "\r\nAuthorization: Bearer " .. os.getenv("BENCH_KEY")
  .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\nIdempotency-Key: "
local after_key = "\r\n\r\n" .. body
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  math.randomseed(id * 7919 + os.time())
  before_number = run .. "-" .. id .. "-"
  sent = 0
end

function request()
  sent = sent + 1
  return "POST /v1/accounts/" .. draw() .. after_account .. before_number .. sent .. after_key
end
