import { PeerError } from 'weft'
import { defineEngine, shake256 } from 'weft/consensus'
import { echo } from './echo.js'

export default defineEngine(echo({ PeerError, shake256 }))
