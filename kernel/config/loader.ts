/** A configuration file and its content: nested sections, `plugins`, `extends`. */
export interface SiteSource {
  readonly file: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Finds and reads sites; a plugin of the packaged site brings it (`Plugin.loader`). */
export interface SiteLoader {
  /**
   * `file`, else the nearest configuration file from `cwd` upwards, and the bases that it extends, strongest first; empty if none is found.
   * Throws ERR_CONFIG_UNREADABLE, ERR_CONFIG_INVALID, ERR_CONFIG_CYCLE or ERR_MODULE_*, each naming the file.
   */
  read(cwd: string, file?: string): Promise<readonly SiteSource[]>
  /** The exports of a module that `file` names, by name. Throws ERR_MODULE_UNKNOWN or ERR_MODULE_LOAD. */
  load(reference: string, file: string): Promise<Readonly<Record<string, unknown>>>
}
