"""A receiver says one epoch in several sentences: GGA and RMC of the same time are one fix. Pure."""

from dataclasses import dataclass

from asty_edge.drivers.nmea.codec import Gga, Rmc, Sentence
from asty_edge.reading import Fix


@dataclass(slots=True)
class Epoch:
    """Merges sentences; a receiver that sends only one of the two has its fix told when its next epoch begins."""

    device: str
    _gga: Gga | None = None
    _rmc: Rmc | None = None
    _at: int = 0

    def take(self, at: int, sentence: Sentence) -> list[Fix]:
        """Take the sentence that arrived at the monotonic ms `at`; return the fixes that it completes, at most two."""
        if not isinstance(sentence, Gga | Rmc):
            return []
        held = self._gga or self._rmc
        fixes = []
        if held and (held.clock != sentence.clock or isinstance(held, type(sentence))):
            fixes.append(self._fix())
        if isinstance(sentence, Gga):
            self._gga = sentence
        else:
            self._rmc = sentence
        self._at = at
        if self._gga and self._rmc:
            fixes.append(self._fix())
        return fixes

    def _fix(self) -> Fix:
        gga, rmc = self._gga, self._rmc
        self._gga = self._rmc = None
        said = [sentence for sentence in (gga, rmc) if sentence]
        quality = said[0].quality
        if quality is None or any(sentence.quality is None for sentence in said):
            return Fix(self.device, self._at, valid=False, sats=gga.sats if gga else None)
        return Fix(
            self.device,
            self._at,
            valid=True,
            utc=rmc.utc if rmc else None,
            lat=said[0].lat,
            lon=said[0].lon,
            v=rmc.v if rmc else None,
            course=rmc.course if rmc else None,
            alt=gga.alt if gga else None,
            sats=gga.sats if gga else None,
            hdop=gga.hdop if gga else None,
            quality=quality,
        )
