-- What wrk sends: a consume for an account.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")
local draw = dofile(here .. "accounts.lua")
local requests = dofile(here .. "requests.lua")
dofile(here .. "threads.lua")

function init()
  math.randomseed(id * 7919 + os.time())
  consume = requests.poster(id, '{"feature":"interior"}')
end

function request()
  return consume(draw(), "/consume")
end
