import pytest
from asty_firmware_sim.devices.vests import BTHOME, EDDYSTONE, BtHome, Eddystone, IBeacon, bthome_sealed
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
MAC = "54:48:E6:8F:80:A5"


def test_an_ibeacon_says_uuid_major_and_minor():
    vest = IBeacon("F7826DA6-4FA2-4E98-8024-BC5B71E0893E", 1, 513)
    assert vest.identity == "f7826da6-4fa2-4e98-8024-bc5b71e0893e/1/513"
    address, manufacturer, service = vest.advertisement(moving=True, battery=50.0)
    assert manufacturer == {0x004C: bytes.fromhex("0215 f7826da64fa24e988024bc5b71e0893e 0001 0201 c5")}
    assert service == {}
    assert int(address[:2], 16) >> 6 == 3, "a random static address"


def test_an_eddystone_says_in_turn_who_it_is_and_how_its_battery_is():
    vest = Eddystone("00112233445566778899", "AABBCCDDEEFF")
    assert vest.identity == "00112233445566778899/aabbccddeeff"
    said = [vest.advertisement(moving=False, battery=90.0) for _ in range(4)]
    assert len({address for address, _, _ in said}) == 1, "the address is what ties its frames together"
    uid, tlm, again, later = (service[EDDYSTONE] for _, _, service in said)
    assert uid == again == bytes.fromhex("00 ee 00112233445566778899 aabbccddeeff 0000")
    assert tlm == bytes.fromhex("2000 0b54 1400 00000002 00000014")
    assert later[6:10] == b"\x00\x00\x00\x04"


def test_a_bthome_tag_without_a_key_speaks_openly():
    vest = BtHome("aa:bb:cc:dd:ee:ff")
    address, manufacturer, service = vest.advertisement(moving=True, battery=87.0)
    assert address == vest.identity == "AA:BB:CC:DD:EE:FF"
    assert (manufacturer, service) == ({}, {BTHOME: bytes.fromhex("40 0001 0157 2201")})
    assert vest.advertisement(moving=False, battery=87.0)[2] == {BTHOME: bytes.fromhex("40 0002 0157 2200")}


def test_encryption_is_the_one_of_bthomes_published_example():
    cipher, mac, counter = (
        AESCCM(KEY, tag_length=4),
        bytes.fromhex(MAC.replace(":", "")),
        int.from_bytes(bytes.fromhex("00112233"), "little"),
    )
    assert bthome_sealed(cipher, mac, counter, bytes.fromhex("02ca0903bf13")) == bytes.fromhex("41 a47266c95f73 00112233 78237214")


def test_an_encrypted_bthome_tag_opens_with_its_key_and_its_counter_only_grows():
    vest = BtHome(MAC, KEY, counter=7)
    counters = []
    for number in range(1, 300):
        sealed = vest.advertisement(moving=number % 2 == 1, battery=50.0)[2][BTHOME]
        assert sealed[0] == 0x41
        counter = sealed[7:11]
        nonce = bytes.fromhex(MAC.replace(":", "")) + b"\xd2\xfc\x41" + counter
        opened = AESCCM(KEY, tag_length=4).decrypt(nonce, sealed[1:7] + sealed[11:], None)
        assert opened == bytes((0, number % 256, 1, 50, 0x22, number % 2))
        counters.append(int.from_bytes(counter, "little"))
    assert counters == list(range(8, 307))


def test_the_counter_of_a_tag_that_comes_back_is_not_below_where_it_was():
    first = BtHome(MAC, KEY).advertisement(moving=True, battery=50.0)[2][BTHOME][7:11]
    second = BtHome(MAC, KEY).advertisement(moving=True, battery=50.0)[2][BTHOME][7:11]
    assert int.from_bytes(second, "little") >= int.from_bytes(first, "little") > 1 << 24


@pytest.mark.parametrize(
    "make",
    [
        lambda: IBeacon("not a uuid", 1, 2),
        lambda: Eddystone("0011", "aabbccddeeff"),
        lambda: BtHome("aa:bb:cc"),
        lambda: BtHome(MAC, b"short"),
    ],
)
def test_what_is_no_identity_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()
