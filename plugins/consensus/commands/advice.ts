const RUNBOOK = 'docs/guides/runbook.md'

/** Where the runbook says what to do about an engine that does not run here, by what the host says of it. */
export function adviceOn(halted: string): string {
  if (halted.startsWith('this peer is no validator')) return 'ask a validator: it runs none of the engines itself'
  const section = SECTIONS.find(({ said }) => said.test(halted))?.section
  return section === undefined ? `${RUNBOOK}, "One engine", or "Too many engines" where nothing is ordered any more` : `${RUNBOOK}, "${section}"`
}

/** In the words of the host, which are the same on every validator. */
const SECTIONS: readonly { readonly said: RegExp; readonly section: string }[] = [
  { said: /^the validators disagree about block /, section: 'Validators that disagree' },
  { said: /^this validator follows the others: /, section: 'A validator that lacks the engine' },
  { said: /^its operator has stopped its engine for a recovery$/, section: 'Too many engines' },
  // Neither a restart of its engine nor another recovery helps.
  { said: /^the others recovered without this validator /, section: 'A validator that is gone for good' },
]

/** What to do about an engine that runs and may order nothing, by what the host says of it. */
export function stalledAdvice(stalled: string): string {
  return stalled.includes('no link to')
    ? 'start the validators that are missing; peer network status says why they cannot be reached'
    : `peer consensus status --all says whether it is so everywhere; if only here: peer consensus restart-engine. ${RUNBOOK}`
}
