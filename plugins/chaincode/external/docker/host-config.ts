import type { HostConfig } from 'dockerode'
import type { Settings } from '../../../../kernel/index.js'
import type { externalKeys } from '../keys.js'

/** The host configuration of a chaincode container (spec/chaincode.md §14.2). What is not set is left to the daemon. */
export function hostConfigOf(settings: Settings<typeof externalKeys>): HostConfig {
  const words = (values: readonly string[]) => (values.length === 0 ? undefined : [...values])
  const text = (value: string) => (value === '' ? undefined : value)
  const number = (value: number) => (value === 0 ? undefined : value)
  return present({
    NetworkMode: text(settings['vm.docker.hostConfig.NetworkMode']) ?? 'host',
    Dns: words(settings['vm.docker.hostConfig.Dns']),
    DnsSearch: words(settings['vm.docker.hostConfig.DnsSearch']),
    CapAdd: words(settings['vm.docker.hostConfig.CapAdd']),
    CapDrop: words(settings['vm.docker.hostConfig.CapDrop']),
    ExtraHosts: words(settings['vm.docker.hostConfig.ExtraHosts']),
    SecurityOpt: words(settings['vm.docker.hostConfig.SecurityOpt']),
    IpcMode: text(settings['vm.docker.hostConfig.IpcMode']),
    PidMode: text(settings['vm.docker.hostConfig.PidMode']),
    UTSMode: text(settings['vm.docker.hostConfig.UTSMode']),
    CgroupParent: text(settings['vm.docker.hostConfig.CgroupParent']),
    CpusetCpus: text(settings['vm.docker.hostConfig.CpusetCPUs']) ?? text(settings['vm.docker.hostConfig.Cpuset']),
    CpusetMems: text(settings['vm.docker.hostConfig.CpusetMEMs']),
    ReadonlyRootfs: settings['vm.docker.hostConfig.ReadonlyRootfs'] || undefined,
    OomKillDisable: settings['vm.docker.hostConfig.OomKillDisable'] || undefined,
    Memory: number(settings['vm.docker.hostConfig.Memory']),
    MemorySwap: number(settings['vm.docker.hostConfig.MemorySwap']),
    MemorySwappiness: settings['vm.docker.hostConfig.MemorySwappiness'],
    CpuShares: number(settings['vm.docker.hostConfig.CpuShares']),
    CpuQuota: number(settings['vm.docker.hostConfig.CpuQuota']),
    CpuPeriod: number(settings['vm.docker.hostConfig.CpuPeriod']),
    BlkioWeight: number(settings['vm.docker.hostConfig.BlkioWeight']),
    LogConfig: { Type: settings['vm.docker.hostConfig.LogConfig.Type'], Config: { ...settings['vm.docker.hostConfig.LogConfig.Config'] } },
  })
}

function present(config: HostConfig): HostConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}
