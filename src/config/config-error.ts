/** The configuration cannot be used. Its message is written for the person who wrote the configuration. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One sentence for each problem, with the place where it is. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const [first = "The configuration cannot be used."] = problems;
    super(
      problems.length <= 1
        ? first
        : `The configuration has ${problems.length} problems:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.problems = problems;
  }
}
