import { expect, it } from 'vitest'
import chaincode from '../../../plugins/chaincode/index.js'
import grpc from '../../../plugins/grpc/index.js'
import ledger from '../../../plugins/ledger/index.js'
import level from '../../../plugins/level/index.js'
import { testPeer } from '../../kernel/sites.js'

const site = [grpc, level, ledger, chaincode]
const small = { 'ledger.state.dataStructure.configs.numBuckets': 11, 'ledger.state.dataStructure.configs.maxGroupingAtEachLevel': 3 }

it('a peer of a v0.6 network that could run none of its chaincode does not start, and says why', async () => {
  const { peer } = testPeer(site, { ...small, 'peer.validator.compatibility': 'v0.6' })
  await expect(peer.start()).rejects.toMatchObject({
    cause: { code: 'ERR_CHAINCODE_LAUNCHER', hint: expect.stringContaining('set chaincode.launcher to docker or process') },
  })
})

it.each([{ 'chaincode.launcher': 'docker' }, { 'chaincode.launcher': 'process' }, { 'chaincode.mode': 'dev' }])('with %o it starts', async (values) => {
  const { peer } = testPeer(site, { ...small, 'peer.validator.compatibility': 'v0.6', ...values })
  await peer.start()
  await peer.stop({ why: 'the test ends', failed: false })
})
