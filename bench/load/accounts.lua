-- Which account a request is for: `draw()` gives its id. BENCH_SHAPE is uniform, zipf (s = 1) or hot (one account).
local accounts = tonumber(os.getenv("BENCH_ACCOUNTS"))
local shape = os.getenv("BENCH_SHAPE")

local function uniform()
  return "user_" .. math.random(accounts)
end

local function hot()
  return "user_1"
end

-- The sums of 1/1, 1/2, ... once; a draw finds its place among them by halving.
local function zipf()
  local sums, sum = {}, 0
  for rank = 1, accounts do
    sum = sum + 1 / rank
    sums[rank] = sum
  end
  return function()
    local wanted, low, high = math.random() * sum, 1, accounts
    while low < high do
      local middle = math.floor((low + high) / 2)
      if sums[middle] < wanted then low = middle + 1 else high = middle end
    end
    return "user_" .. low
  end
end

if shape == "zipf" then return zipf() end
return ({ uniform = uniform, hot = hot })[shape]
