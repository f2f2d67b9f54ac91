-- The text of a request to an account, put together by hand: wrk.format costs the load generator more than the rest.
-- Every POST has its own idempotency key: the run, the thread and a number that counts up.
local key = "\r\nAuthorization: Bearer " .. os.getenv("BENCH_KEY")
local host = " HTTP/1.1\r\nHost: " .. os.getenv("BENCH_HOST") .. key
local run = os.getenv("BENCH_RUN")
local requests = { sent = 0 }

function requests.poster(thread, body)
  local head = host .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #body
    .. "\r\nIdempotency-Key: " .. run .. "-" .. thread .. "-"
  -- A request may have another body of the same length.
  return function(account, path, other)
    requests.sent = requests.sent + 1
    return "POST /v1/accounts/" .. account .. path .. head .. requests.sent .. "\r\n\r\n" .. (other or body)
  end
end

function requests.get(account, path)
  return "GET /v1/accounts/" .. account .. (path or "") .. host .. "\r\n\r\n"
end

return requests
