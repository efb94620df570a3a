/** Which versions exist. Every verb rejects with a `Failure` (`registry_*`, `image_not_found`) and nothing else. */
export interface Registry {
  /** The digest behind `repository:tag` (of the index, where there is one). Asked at most once per `maxAgeMs` for each image. */
  digestOf(image: string, options: { readonly maxAgeMs: number }, signal: AbortSignal): Promise<string>;
  /** All tags of a repository, every page. Rejects with `registry_answer` beyond 100,000: never a part of them. */
  tags(
    repository: string,
    options: { readonly maxAgeMs: number },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** What the image has for this platform. */
  inspect(
    image: string,
    platform: Platform,
    options: { readonly maxAgeMs: number },
    signal: AbortSignal,
  ): Promise<ImageFacts>;
}

/** As the engine names it: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What an image says of itself. */
export interface ImageFacts {
  /** Compressed, all layers and the configuration: what a pull onto an empty disk fetches. null: nothing for this platform. */
  readonly sizeBytes: number | null;
  /** The platforms that its index names (`linux/arm64`); none where there is no index: every engine takes such an image. */
  readonly offers: readonly string[];
  /** What stands there instead of an image: the media type of a chart, a signature, a bill of materials. */
  readonly instead?: string;
  /**
   * The digest to pull where the image stands in an index in an index, which engines do not take: that of the inner one.
   * Absent where the image's own digest will do.
   */
  readonly pullAs?: string;
}
