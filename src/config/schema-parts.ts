import type { TSchema } from "typebox";
import { Type } from "../schema/type.ts";

/** A key that may be null, which it is unless it is set. */
export const nullable = <T extends TSchema>(type: T, description: string) =>
  Type.Union([type, Type.Null()], { description, default: null });

export const addressRange = Type.String({ rule: "address-range" });

/**
 * What connections to others may do. Each purpose has keys of its own: an internal push gateway must not open its
 * network to everything else that users can make the server connect to.
 */
export const outboundKeys = (hosts: string) => ({
  extra_ca_file: nullable(
    Type.String({ minLength: 1, path: "file" }),
    `Certificates (PEM) of authorities to trust beside the usual ones, when connecting to ${hosts}.`,
  ),
  allowed_private_ranges: Type.Array(addressRange, {
    description:
      `Private address ranges (such as 10.0.0.0/8) in which ${hosts} may be reached. All private addresses are ` +
      "refused otherwise, so that nobody can use Hearth to reach into your network.",
    default: [],
    maxItems: 1000,
  }),
});
