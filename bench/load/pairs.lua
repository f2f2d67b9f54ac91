-- Two requests that belong together: the second one names what the answer to the first gave it.
--
-- An answer does not say on which connection it came, so each thread keeps a queue of what waits for its second
-- request: the next request is the second of the pair that waits longest, or the first of a new one. The run's figure
-- is finished pairs a second.
local here = debug.getinfo(1, "S").source:match("@?(.*/)")
local draw = dofile(here .. "accounts.lua")
local requests = dofile(here .. "requests.lua")
local threads = dofile(here .. "threads.lua")

-- `pair` has the `first` and `second` request, each with its body and its path (the second's of the id), and how an
-- answer to the first is known (`opens`) and names its id (`names`), both as patterns.
return function(pair)
  local waiting, oldest, newest = {}, 1, 0

  function init()
    math.randomseed(id * 7919 + os.time())
    first = requests.poster(id, pair.first.body)
    second = requests.poster(id, pair.second.body)
    finished = 0
  end

  function request()
    if oldest > newest then
      return first(draw(), pair.first.path)
    end
    local next = waiting[oldest]
    waiting[oldest] = nil
    oldest = oldest + 1
    return second(next.account, pair.second.path(next.name))
  end

  function response(status, headers, body)
    if status ~= 200 and status ~= 201 then
      return
    elseif body:find(pair.opens) then
      newest = newest + 1
      waiting[newest] = { account = body:match('"account_id":"([^"]+)"'), name = body:match(pair.names) }
    else
      finished = finished + 1
    end
  end

  function done(summary)
    local all = 0
    for _, thread in ipairs(threads) do
      all = all + thread:get("finished")
    end
    io.write(string.format("value %.2f\n", all / summary.duration * 1000000))
  end
end
