// In a guest: runs the suite's files of the shard $SHARD, as 3/8, or the files $FILES, with commas between them.
import { spawnSync } from 'node:child_process'
import { shardOf } from '../../systems/shards.mjs'

const { SHARD = '', FILES } = process.env
const [number, count] = SHARD.split('/').map(Number)
const files = FILES ? FILES.split(',') : shardOf(number, count)
const reporter = '--reporter=test/support/systems/reporter.mjs'
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', reporter, ...files], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
