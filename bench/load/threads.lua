-- Numbers wrk's threads from 0 (`id` in each of them), so that what they draw and what they call their keys differs.
local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

return threads
