-- What wrk sends: consumes that are refunded as soon as the answer is there.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")

dofile(here .. "pairs.lua")({
  first = { path = "/consume", body = '{"feature":"interior"}' },
  second = { path = function(name) return "/transactions/" .. name .. "/refund" end, body = "{}" },
  opens = '"credits_consumed":',
  names = '"transaction_id":"([^"]+)"',
})
