import type { MessageTexts } from "../message-text.ts";

const ignore = "If it was not you, ignore this message: nothing will happen.";
const valid = "This is valid for {{hours}} hours.";

export const english: MessageTexts = {
  "confirm-registration": {
    subject: "Confirm your address for {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, is making an account at {{organisation}} ({{server}}) with the address {{address}}.",
      "Confirm that the address is yours, then go back to where you began.",
      `${valid} ${ignore}`,
    ],
    action: "Confirm",
    sms: "{{code}} is your number for a new account at {{organisation}}. It is valid for {{hours}} hours.",
  },
  "confirm-address": {
    subject: "Confirm your address for {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, wants to add the address {{address}} to an account at {{organisation}} ({{server}}).",
      "Confirm only if you have asked for it yourself: the account's owner will be able to sign in with the address.",
      `${valid} ${ignore}`,
    ],
    action: "Confirm",
    sms: "{{code}} is your number for adding this telephone to your account at {{organisation}}. Tell it to nobody.",
  },
  "confirm-password-reset": {
    subject: "A new password for {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, has forgotten the password of the account at {{organisation}} ({{server}}) that has " +
        "the address {{address}}.",
      "Confirm only if you have asked for a new password yourself, then go back to where you began.",
      `${valid} ${ignore}`,
    ],
    action: "Confirm",
    sms: "{{code}} is your number for a new password at {{organisation}}. Tell it to nobody.",
  },
  "already-registered": {
    subject: "You have an account at {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, wanted to make an account at {{organisation}} ({{server}}) with the address {{address}}. " +
        "There is one already that has it.",
      "Sign in with that account. If you have forgotten its password, ask for a new one where you sign in.",
      ignore,
    ],
    sms: "You have an account at {{organisation}} already: sign in with it, or ask for a new password there.",
  },
  "address-in-use": {
    subject: "Your address at {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, wanted to add the address {{address}} to an account at {{organisation}} ({{server}}). " +
        "An account there has it already: yours, or another one.",
      "If it is another one, remove the address there before you add it elsewhere.",
      ignore,
    ],
    sms: "An account at {{organisation}} has this number already. Remove it there before you add it elsewhere.",
  },
  "no-such-account": {
    subject: "Your password at {{organisation}}",
    paragraphs: [
      "Somebody, most likely you, has asked for a new password at {{organisation}} ({{server}}) with the address " +
        "{{address}}. No account there has it.",
      "Perhaps your account has another address, or is on another server.",
      ignore,
    ],
    sms: "No account at {{organisation}} has this number: a new password cannot be sent to it.",
  },
  "password-changed": {
    subject: "Your new password at {{organisation}}",
    paragraphs: [
      "The password of your account at {{organisation}} ({{server}}) was changed just now, by way of the address {{address}}.",
      "If it was not you, ask for a new password at once, and tell those who run the server.",
    ],
    sms: "Your password at {{organisation}} was changed just now. If it was not you, ask for a new one at once.",
  },
  "room-invitation": {
    subject: "{{inviter}} invites you to {{room}}",
    paragraphs: [
      "{{inviter}} invites you to {{room}} at {{organisation}} ({{server}}), a place to chat with a Matrix client of your choice.",
      "Make an account on {{server}} with the address {{address}}, or add the address to the one that you have: the " +
        "invitation will then be waiting for you.",
      "If you do not know what this is about, ignore this message.",
    ],
    sms: "{{inviter}} invites you to {{room}} at {{organisation}}. Add this number to your account on {{server}}.",
  },
};
