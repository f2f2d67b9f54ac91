-- What wrk sends: a consume for a random account, each with an idempotency key of its own.
local accounts = tonumber(os.getenv("BENCH_ACCOUNTS"))
local authorization = "Bearer " .. os.getenv("BENCH_KEY")
local run = os.getenv("BENCH_RUN")
local threads = 0
local body = '{"feature":"interior"}'

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  math.randomseed(id * 7919 + os.time())
  sent = 0
end

function request()
  sent = sent + 1
  return wrk.format("POST", "/v1/accounts/user_" .. math.random(accounts) .. "/consume", {
    ["Authorization"] = authorization,
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = run .. "-" .. id .. "-" .. sent,
  }, body)
end
