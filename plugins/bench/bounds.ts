/** Validators of one network on this machine. */
export const MOST_VALIDATORS = 100
/** Of whatever a command counts: seconds, requests, swaps. */
export const MOST_COUNTED = 9_999_999
