// What BullMQ's worker and producer share: where Redis is, and the clock.
const url = new URL(process.env.BENCH_BROKER_URL);

exports.connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
exports.results = process.env.BENCH_RESULTS === '1';
exports.now = () => (performance.timeOrigin + performance.now()) / 1000;
