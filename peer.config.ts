/**
 * The default site: what runs where no configuration file is found. Every other key has its default;
 * `peer config show` lists them all, `peer init` writes a site of your own.
 */
import { defineConfig } from './kernel/index.js'
import admin from './plugins/admin/index.js'
import bench from './plugins/bench/index.js'
import chaincode from './plugins/chaincode/index.js'
import consensus from './plugins/consensus/index.js'
import devnet from './plugins/devnet/index.js'
import directory from './plugins/directory/index.js'
import devops from './plugins/devops/index.js'
import doctor from './plugins/doctor/index.js'
import engineAuthoring from './plugins/engine-authoring/index.js'
import engines from './plugins/engines/index.js'
import events from './plugins/events/index.js'
import grpc from './plugins/grpc/index.js'
import http from './plugins/http/index.js'
import ledger from './plugins/ledger/index.js'
import level from './plugins/level/index.js'
import loader from './plugins/loader/index.js'
import logging from './plugins/logging/index.js'
import metrics from './plugins/metrics/index.js'
import network from './plugins/network/index.js'
import noopsPlugin from './plugins/noops/index.js'
import openchain from './plugins/openchain/index.js'
import pbftPlugin from './plugins/pbft/index.js'
import profiling from './plugins/profiling/index.js'
import rest from './plugins/rest/index.js'
import sim from './plugins/sim/index.js'
import site from './plugins/site/index.js'
import systemd from './plugins/systemd/index.js'
import tls from './plugins/tls/index.js'
import top from './plugins/top/index.js'
import tracing from './plugins/tracing/index.js'
import transactions from './plugins/transactions/index.js'

export default defineConfig({
  plugins: [
    logging,
    loader,
    directory,
    grpc,
    level,
    ledger,
    chaincode,
    consensus,
    noopsPlugin,
    pbftPlugin,
    engines,
    network,
    transactions,
    top,
    devops,
    openchain,
    http,
    rest,
    events,
    metrics,
    profiling,
    tracing,
    // Its answer STARTED says that what stands above listens.
    admin,
    site,
    devnet,
    sim,
    engineAuthoring,
    bench,
    tls,
    doctor,
    // Last: it tells systemd that what stands above serves.
    systemd,
  ],
  peer: {
    id: 'vp0',
    // Loopback on purpose: nothing authenticates the callers of Admin and Devops, so whoever reaches this address
    // can stop the peer and deploy chaincode. Open it only to a network that you trust.
    listenAddress: '127.0.0.1:7051',
    address: '127.0.0.1:7051',
    validator: { events: { address: '127.0.0.1:7053' } },
    fileSystemPath: './weft-data',
  },
  chaincode: {
    // Runs inside the peer, so that a first tour needs nothing deployed: an account holds 1,000,000 until it is first written.
    system: { example02: 'enable' },
  },
})
