// Nanoseconds that Node's own call takes, which sets the idle time only: the median of many.
const net = require('net')

const server = net.createServer().listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1', () => {
    const times = []
    for (let i = 0; i < 2000; i++) {
      const start = process.hrtime.bigint()
      // If the value is the same as before, Node makes no system call.
      socket.setKeepAlive(true, i % 2 ? 60000 : 61000)
      times.push(Number(process.hrtime.bigint() - start))
    }
    times.sort((a, b) => a - b)
    console.log(times[1000])
    process.exit(0)
  })
})
