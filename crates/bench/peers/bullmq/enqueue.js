// BullMQ's producer: enqueue.js noop COUNT, or stamp COUNT with a pause of 20 ms after each.
const { Queue } = require('bullmq');
const { connection, now } = require('./common');

const BATCH = 500;
const [task, count] = [process.argv[2], Number(process.argv[3])];
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

(async () => {
  const queue = new Queue('bench', { connection });
  if (task === 'stamp') {
    for (let sent = 0; sent < count; sent++) {
      await queue.add(task, { sent: now() });
      await pause();
    }
  } else {
    for (let left = count; left > 0; left -= BATCH) {
      const jobs = Array.from({ length: Math.min(BATCH, left) }, () => ({ name: task, data: {} }));
      await queue.addBulk(jobs);
    }
  }
  process.exit(0);
})();
