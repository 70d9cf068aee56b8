// BullMQ's worker: 100 jobs at once, in one process.
const fs = require('fs');
const { Worker } = require('bullmq');
const { connection, results, now } = require('./common');

let stamps;
const stamp = (sent) => {
  const started = now();
  stamps ??= fs.openSync(process.env.BENCH_STAMPS, 'a');
  fs.writeSync(stamps, `${sent.toFixed(6)} ${started.toFixed(6)}\n`);
};

new Worker('bench', async (job) => {
  if (job.name === 'stamp') stamp(job.data.sent);
  return null;
}, {
  connection,
  concurrency: 100,
  removeOnComplete: { count: results ? 10_000_000 : 0 },
});
process.on('SIGTERM', () => process.exit(0));
