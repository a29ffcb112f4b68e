/** Metadata of `/protos.Events/Chat` with which a consumer asks for past events; originals ignore it. */
export const FROM_BLOCK = 'weft-from-block'
export const AFTER_EVENT = 'weft-after'
