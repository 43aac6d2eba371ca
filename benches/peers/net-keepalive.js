// Nanoseconds that net-keepalive takes for on, idle time, interval and count: the median of many.
const net = require('net')
const keepalive = require('net-keepalive')

const server = net.createServer().listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1', () => {
    const times = []
    for (let i = 0; i < 2000; i++) {
      const start = process.hrtime.bigint()
      socket.setKeepAlive(true, 60000)
      keepalive.setKeepAliveInterval(socket, 10000)
      keepalive.setKeepAliveProbes(socket, 6)
      times.push(Number(process.hrtime.bigint() - start))
    }
    times.sort((a, b) => a - b)
    console.log(times[1000])
    process.exit(0)
  })
})
