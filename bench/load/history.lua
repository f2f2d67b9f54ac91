-- What wrk sends: reads of an account's newest twenty transactions.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")
local draw = dofile(here .. "accounts.lua")
local requests = dofile(here .. "requests.lua")
dofile(here .. "threads.lua")

function init()
  math.randomseed(id * 7919 + os.time())
end

function request()
  return requests.get(draw(), "/transactions?limit=20")
end
