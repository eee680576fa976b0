declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ServerName = Branded<"ServerName">;
export type UserId = Branded<"UserId">;
export type RoomId = Branded<"RoomId">;
export type RoomAlias = Branded<"RoomAlias">;
export type EventId = Branded<"EventId">;
