"""A bridge to nowhere, made with mautrix-python: whatever is said in a room of its bot is said again, by one of its users.

It takes one argument, JSON: where the homeserver is, and what its registration says. It tells what it has heard as lines of
JSON on its standard output.
"""

import asyncio
import json
import sys

from mautrix.appservice import AppService
from mautrix.appservice.state_store import ASStateStore
from mautrix.client import Client
from mautrix.client.state_store import MemoryStateStore
from mautrix.errors import EncryptionError
from mautrix.crypto import MemoryCryptoStore, OlmMachine, StateStore
from mautrix.types import EventType, Membership, MessageType, TextMessageEventContent

options = json.loads(sys.argv[1])


def tell(**told) -> None:
    print(json.dumps(told), flush=True)


class Store(MemoryStateStore, ASStateStore, StateStore):
    """What the bridge knows of rooms, for its users and for its encryption."""

    def __init__(self) -> None:
        MemoryStateStore.__init__(self)
        ASStateStore.__init__(self)

    async def is_encrypted(self, room_id) -> bool:
        return bool(await self.get_encryption_info(room_id))

    async def find_shared_rooms(self, user_id) -> list:
        return [
            room_id
            for room_id, members in self.members.items()
            if user_id in members and await self.is_encrypted(room_id)
        ]


class Bridge:
    def __init__(self) -> None:
        self.store = Store()
        self.appservice = AppService(
            server=options["homeserver"],
            domain=options["domain"],
            as_token=options["asToken"],
            hs_token=options["hsToken"],
            bot_localpart=options["senderLocalpart"],
            id=options["id"],
            state_store=self.store,
            query_user=self.make_user,
            ephemeral_events=True,
            encryption_events=True,
        )
        self.crypto_store = MemoryCryptoStore("bot", "pickle key")
        self.client = Client(
            base_url=options["homeserver"],
            mxid=self.appservice.bot_mxid,
            sync_store=self.crypto_store,
            state_store=self.store,
        )
        self.crypto = OlmMachine(self.client, self.crypto_store, self.store)
        self.appservice.otk_handler = self.counts
        self.appservice.device_list_handler = self.crypto.handle_as_device_lists
        self.appservice.to_device_handler = self.crypto.handle_as_to_device_event
        self.appservice.matrix_event_handler(self.handle)

    async def start(self) -> None:
        await self.appservice.start("127.0.0.1", options["port"])
        bot = self.appservice.intent
        await bot.ensure_registered()
        await bot.set_displayname("Echo")
        tell(ping=await self.appservice.ping_self("hello"))
        self.client.api.token = options["asToken"]
        await self.client.create_device_msc4190("ECHO", "Echo bridge")
        await self.crypto.load()
        await self.crypto_store.put_device_id("ECHO")
        await self.crypto.share_keys()
        tell(ready=True)

    async def make_user(self, user_id):
        ghost = self.appservice.intent.user(user_id)
        await ghost.ensure_registered()
        await ghost.set_displayname("Ghost")
        return {"made": True}

    async def counts(self, counts) -> None:
        tell(counts={user: list(devices) for user, devices in counts.items()})
        await self.crypto.handle_as_otk_counts(counts)

    async def handle(self, event) -> None:
        if event.type == EventType.TYPING:
            tell(typing=event.content.user_ids, room=event.room_id)
        elif event.type == EventType.RECEIPT:
            tell(receipts=list(event.content), room=event.room_id)
        elif event.type == EventType.ROOM_MEMBER:
            await self.crypto.handle_member_event(event)
            is_invite = event.content.membership == Membership.INVITE
            if is_invite and event.state_key == self.appservice.bot_mxid:
                await self.appservice.intent.join_room(event.room_id)
                await self.appservice.intent.get_state(event.room_id)
                await self.appservice.intent.get_joined_members(event.room_id)
        elif event.sender.startswith(f"@{options['userPrefix']}") or event.sender == self.appservice.bot_mxid:
            return
        elif event.type == EventType.ROOM_ENCRYPTED:
            await self.answer_encrypted(event)
        elif event.type == EventType.ROOM_MESSAGE:
            await self.answer(event)

    async def answer(self, event) -> None:
        tell(message=event.content.body, encrypted=False)
        ghost = self.appservice.intent.user(f"@{options['userPrefix']}{event.content.body.lower()}:{options['domain']}")
        await ghost.ensure_joined(event.room_id, bot=self.appservice.intent)
        sent = await ghost.send_text(event.room_id, f"echo of {event.content.body}", timestamp=1_000_000_000_000)
        tell(sent=sent)

    async def answer_encrypted(self, event) -> None:
        if not await self.crypto_store.has_group_session(event.room_id, event.content.session_id):
            await self.crypto.wait_for_session(event.room_id, event.content.session_id, timeout=30)
        decrypted = await self.crypto.decrypt_megolm_event(event)
        tell(message=decrypted.content.body, encrypted=True)
        content = TextMessageEventContent(msgtype=MessageType.TEXT, body=f"echo of {decrypted.content.body}")
        encrypted = await self.encrypt(event.room_id, content)
        sent = await self.appservice.intent.send_message_event(event.room_id, EventType.ROOM_ENCRYPTED, encrypted)
        tell(sent=sent)

    async def encrypt(self, room_id, content):
        try:
            return await self.crypto.encrypt_megolm_event(room_id, EventType.ROOM_MESSAGE, content)
        except EncryptionError:
            members = await self.appservice.intent.get_joined_members(room_id)
            await self.crypto.share_group_session(room_id, list(members))
            return await self.crypto.encrypt_megolm_event(room_id, EventType.ROOM_MESSAGE, content)


async def main() -> None:
    bridge = Bridge()
    await bridge.start()
    # Until the test ends the process.
    await asyncio.Event().wait()


asyncio.run(main())
