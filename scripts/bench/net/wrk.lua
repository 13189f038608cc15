-- Makes wrk send what a row wants: `wrk -s wrk.lua URL -- http|once|echo PIPELINED SIZE`.
-- For echo the request is an HTTP response of SIZE bytes: sent back, it is what wrk waits for. Only the first call,
-- with which wrk counts the requests in a batch, must look like a request.
local get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
local batch
local counted = false

function init(args)
  local service, pipelined, size = args[1], tonumber(args[2]), tonumber(args[3])
  if service == "http" or service == "once" then
    batch = string.rep(get, pipelined)
    counted = true
  else
    local head = "HTTP/1.1 200 OK\r\nX-Fill: %s\r\nContent-Length: %d\r\n\r\n"
    local length = size - 100
    local fill = size - length - #head:format("", length)
    batch = head:format(string.rep("x", fill), length) .. string.rep("x", length)
  end
end

function request()
  if counted then return batch end
  counted = true
  return get
end
