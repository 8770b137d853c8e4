"""What librdkafka's admin client does not ask is asked as Kafka's protocol says, and answered sentences, not bytes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.errors import ClusterUnreachable
from deptbus.kafka import wire
from deptbus.kafka.scram import Scram


def test_requests_are_as_the_protocol_has_them() -> None:
    assert wire.request(wire.QUORUM, 7, wire.quorum_request()) == (
        b"\x00\x00\x00\x2e\x00\x37\x00\x01\x00\x00\x00\x07\x00\x07deptbus\x00"
        b"\x02\x13__cluster_metadata\x02\x00\x00\x00\x00\x00\x00\x00"
    )
    assert wire.request(wire.LOG_DIRS, 1, wire.log_dirs_request())[-2:] == b"\x00\x00"
    assert wire.request(wire.COORDINATOR, 2, wire.coordinator_request("g"))[-4:] == b"\x02g\x00\x00"
    assert wire.request(wire.LEAVE, 3, wire.leave_request("g", "a-0")).endswith(b"\x02g\x02\x01\x04a-0\x00\x00")
    assert wire.request(wire.HANDSHAKE, 1, wire.text("PLAIN")).endswith(b"\x00\x07deptbus\x00\x05PLAIN")


def test_an_error_of_the_broker_is_told() -> None:
    with pytest.raises(ClusterUnreachable, match=r"refuses to describe the quorum \(Kafka's error 31\)"):
        wire.read_quorum(wire.Answer(b"\x00\x1f\x01\x00"))


def test_who_keeps_a_group_is_told_and_that_a_member_had_left_before_is_no_error() -> None:
    broker = b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x0a127.0.0.1\x00\x00\x23\x84\x00"
    assert wire.read_coordinator(wire.Answer(broker)) == ("127.0.0.1", 9092)
    wire.read_left(wire.Answer(b"\x00\x00\x00\x00\x00\x00\x02\x01\x04a-0\x00\x19\x00\x00"))
    with pytest.raises(ClusterUnreachable, match=r"refuses to let the group be left \(Kafka's error 30\)"):
        wire.read_left(wire.Answer(b"\x00\x00\x00\x00\x00\x1e\x01\x00"))


READERS = [wire.read_features, wire.read_quorum, wire.read_log_dirs, wire.read_coordinator, wire.read_left]


@given(st.binary(max_size=200), st.sampled_from(READERS))
def test_whatever_answers_ends_in_a_sentence(content: bytes, read: object) -> None:
    with suppress(ClusterUnreachable):
        read(wire.Answer(content))  # type: ignore[operator]


class TestScram:
    """The example of RFC 7677."""

    CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

    def talk(self) -> Scram:
        return Scram("SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO")

    def test_it_says_what_the_standard_says(self) -> None:
        talk = self.talk()
        assert talk.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
        assert talk.final(self.CHALLENGE) == (
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        )
        talk.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    def test_a_server_that_does_not_know_the_password_is_refused(self) -> None:
        talk = self.talk()
        talk.final(self.CHALLENGE)
        with pytest.raises(ClusterUnreachable, match="it is not the broker"):
            talk.verify(b"v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    @pytest.mark.parametrize("challenge", [b"", b"r=other,s=AA==,i=4096", b"r=rOprNGfwEbeRWgbNEkqO,s=AA==,i=99999999"])
    def test_a_challenge_that_is_none_is_refused(self, challenge: bytes) -> None:
        with pytest.raises(ClusterUnreachable, match="not as SCRAM has it"):
            self.talk().final(challenge)
