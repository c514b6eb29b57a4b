// Every process that the bench starts imports this file first. The bench holds the other end of the process's standard
// input, which closes when the bench ends for any reason. So no process outlives the bench.
process.stdin.resume().once('close', () => process.exit());
// A message of the bench is answered with the CPU time of the process.
process.on('message', () => process.send?.(process.cpuUsage()));
