import type { MessageTexts } from "../message-text.ts";

const ignore = "如果不是您本人的操作，请忽略此消息，不会有任何变化。";
const valid = "有效期为 {{hours}} 小时。";

export const chinese: MessageTexts = {
  "confirm-registration": {
    subject: "请确认您在 {{organisation}} 的地址",
    paragraphs: [
      "有人（很可能是您本人）正在使用地址 {{address}} 注册 {{organisation}}（{{server}}）的账号。",
      "请确认这是您的地址，然后回到您刚才的页面继续注册。",
      `${valid}${ignore}`,
    ],
    action: "确认",
    sms: "{{code}} 是您在 {{organisation}} 注册账号的验证码，{{hours}} 小时内有效。",
  },
  "confirm-address": {
    subject: "请确认您在 {{organisation}} 的地址",
    paragraphs: [
      "有人（很可能是您本人）希望将地址 {{address}} 添加到 {{organisation}}（{{server}}）的账号中。",
      "仅在您本人提出请求时才进行确认：该账号的所有者今后可以使用此地址登录。",
      `${valid}${ignore}`,
    ],
    action: "确认",
    sms: "{{code}} 是您为 {{organisation}} 账号添加此电话号码的验证码，请勿告诉他人。",
  },
  "confirm-password-reset": {
    subject: "重设您在 {{organisation}} 的密码",
    paragraphs: [
      "有人（很可能是您本人）忘记了 {{organisation}}（{{server}}）上使用地址 {{address}} 的账号的密码。",
      "仅在您本人要求重设密码时才进行确认，然后回到您刚才的页面。",
      `${valid}${ignore}`,
    ],
    action: "确认",
    sms: "{{code}} 是您在 {{organisation}} 重设密码的验证码，请勿告诉他人。",
  },
  "already-registered": {
    subject: "您在 {{organisation}} 已有账号",
    paragraphs: [
      "有人（很可能是您本人）希望使用地址 {{address}} 在 {{organisation}}（{{server}}）注册账号，但已有账号使用此地址。",
      "请使用该账号登录。如果您忘记了密码，可以在登录页面重设密码。",
      ignore,
    ],
    sms: "您在 {{organisation}} 已有账号：请直接登录，或在登录页面重设密码。",
  },
  "address-in-use": {
    subject: "您在 {{organisation}} 的地址",
    paragraphs: [
      "有人（很可能是您本人）希望将地址 {{address}} 添加到 {{organisation}}（{{server}}）的账号中，但已有账号（您的账号或其他账号）在使用此地址。",
      "如果是其他账号，请先从该账号中移除此地址，再添加到新账号。",
      ignore,
    ],
    sms: "{{organisation}} 已有账号在使用此号码，请先从该账号中移除。",
  },
  "no-such-account": {
    subject: "您在 {{organisation}} 的密码",
    paragraphs: [
      "有人（很可能是您本人）要求重设 {{organisation}}（{{server}}）上使用地址 {{address}} 的账号的密码，但没有账号使用此地址。",
      "您的账号可能使用了其他地址，或者在其他服务器上。",
      ignore,
    ],
    sms: "{{organisation}} 没有使用此号码的账号，无法重设密码。",
  },
  "password-changed": {
    subject: "您在 {{organisation}} 的新密码",
    paragraphs: [
      "您在 {{organisation}}（{{server}}）的账号密码刚刚通过地址 {{address}} 更改。",
      "如果不是您本人的操作，请立即重设密码，并通知服务器管理人员。",
    ],
    sms: "您在 {{organisation}} 的密码刚刚更改。如果不是您本人的操作，请立即重设密码。",
  },
  "room-invitation": {
    subject: "{{inviter}} 邀请您加入 {{room}}",
    paragraphs: [
      "{{inviter}} 邀请您加入 {{organisation}}（{{server}}）的 {{room}}。您可以使用任何 Matrix 客户端聊天。",
      "请使用地址 {{address}} 在 {{server}} 注册账号，或将此地址添加到您已有的账号中，届时即可看到邀请。",
      "如果您不了解此事，请忽略此消息。",
    ],
    sms: "{{inviter}} 邀请您加入 {{organisation}} 的 {{room}}。请将此号码添加到您在 {{server}} 的账号中。",
  },
};
