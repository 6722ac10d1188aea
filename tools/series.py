"""Rules of homologous series: what ions their members have, and when they elute.

Each rule says how the heights of the series' ions depend on the number of carbon atoms, in percent
of the base peak. They follow from how such molecules break: an alkyl chain gives the clusters
43, 57, 71, ... (CnH2n+1) and 41, 55, 69, ... (CnH2n-1), whose heights decrease with their size;
alpha cleavage and the McLafferty rearrangement give the ions that name the class, 74 and 87 for
methyl esters, 58 for methyl ketones, 60 and 73 for acids, 59 and 72 for amides (F. W. McLafferty
and F. Tureček, Interpretation of Mass Spectra, 4th ed., 1993). Retention indices on a column of 5 %
phenyl rise by about 100 with each carbon atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

Ions = dict[int, float]
Member = tuple[str, str, float, Ions]
"""Name, SMILES, retention index, and heights of ions by m/z."""

STEMS = (
    "meth", "eth", "prop", "but", "pent", "hex", "hept", "oct", "non", "dec", "undec", "dodec",
    "tridec", "tetradec", "pentadec", "hexadec", "heptadec", "octadec", "nonadec", "icos",
    "henicos", "docos", "tricos", "tetracos", "pentacos", "hexacos", "heptacos", "octacos",
    "nonacos", "triacont", "hentriacont", "dotriacont", "tritriacont", "tetratriacont",
    "pentatriacont", "hexatriacont", "heptatriacont", "octatriacont", "nonatriacont", "tetracont",
)  # fmt: skip

CARBON_13, MASS_PER_CARBON, LEAST = 0.0108, 13.7, 0.8


def stem(carbons: int) -> str:
    """Name a chain: ``hex`` of 6 carbon atoms."""
    return STEMS[carbons - 1]


def carbon_13(mass: float, height: float) -> float:
    """Height of the isotope of an ion that has as much carbon as the ions of organic compounds."""
    return height * CARBON_13 * max(mass / MASS_PER_CARBON - 0.5, 0.0)


def mixed(*parts: Mapping[int, float]) -> Ions:
    """Add the ions of several kinds, each with the isotope of its carbon, and order them by m/z."""
    total: Ions = {}
    for part in parts:
        for mz, height in part.items():
            total[mz] = total.get(mz, 0.0) + height
    listed = dict(total)
    for mz, height in listed.items():
        total[mz + 1] = total.get(mz + 1, 0.0) + carbon_13(mz, height)
    return {mz: height for mz, height in sorted(total.items()) if height >= LEAST}


def cluster(first: int, heights: Iterable[float], last: int, decay: float = 0.8) -> Ions:
    """Ions 14 apart from `first` to `last`: given heights, then each `decay` times the one before.

    Examples
    --------
    >>> cluster(43, [100, 80], 85, 0.5)
    {43: 100, 57: 80, 71: 40.0, 85: 20.0}
    """
    ions: Ions = {}
    given = list(heights)
    for place, mz in enumerate(range(first, last + 1, 14)):
        ions[mz] = given[place] if place < len(given) else ions[mz - 14] * decay
    return ions


# fmt: off
def alkanes() -> Iterator[Member]:
    """n-Alkanes: CnH2n+1 from 43 on, decreasing steadily, no loss of methyl."""
    for n in (9, *range(11, 41)):
        if n in (14, 18, 22, 24, 25, 26, 28, 30):  # listed among other substances
            continue
        mass = 14 * n + 2
        long = min(max((n - 9) / 11, 0.0), 1.0)
        alkyl = cluster(
            43,
            [100 - 22 * long, 80 + 20 * long, 42 + 30 * long, 30 + 20 * long, 9 + 8 * long],
            mass - 29,
            0.76 + 0.08 * long,
        )
        alkenyl = cluster(41, [45 - 10 * long, 20 + 8 * long, 9 + 10 * long, 3 + 11 * long],
                          min(mass - 31, 167), 0.72)
        alkene = cluster(42, [18 - 8 * long, 16, 14, 8, 6, 5], min(mass - 30, 168), 0.75)
        small = {27: 22 - 8 * long, 28: 6, 29: 30 - 12 * long, 39: 11 - 4 * long}
        molecule = {mass: 8 - 5 * long}
        yield f"{stem(n)}ane", "C" * n, 100 * n, mixed(small, alkyl, alkenyl, alkene, molecule)


def alkenes() -> Iterator[Member]:
    """1-Alkenes: CnH2n-1 and CnH2n, losses of ethylene and more from a weak molecular ion."""
    for n in (5, 7, 8, 9, *range(11, 31)):
        mass = 14 * n
        long = min(max((n - 7) / 9, 0.0), 1.0)
        if n == 5:
            ions: Ions = {27: 30, 29: 25, 39: 38, 40: 8, 41: 42, 42: 100, 53: 6, 55: 60, 70: 34}
            yield "1-pentene", "CCCC=C", 489, mixed(ions)
            continue
        alkenyl = cluster(41, [100 - 12 * long, 62 + 34 * long, 30 + 45 * long, 5 + 70 * long,
                               70 * long, 40 * long, 20 * long], mass - 29, 0.55)
        alkene = cluster(42, [48 - 20 * long, 80 - 22 * long, 42 + 14 * long, 12 + 24 * long,
                              8 + 20 * long, 14 * long], mass - 28, 0.55)
        alkyl = cluster(43, [62 + 30 * long, 28 + 52 * long, 3 + 30 * long, 17 * long, 4 * long],
                        mass - 43, 0.4)
        diene = cluster(54, [12 + 4 * long, 3 + 15 * long, 2 + 20 * long, 10 * long],
                        mass - 44, 0.5)
        small = {27: 45 - 25 * long, 29: 45 - 15 * long, 39: 40 - 24 * long, 67: 6 + 14 * long}
        loss = {mass - 28: 10 - 5 * long, mass: 14 - 8 * long}
        ions = mixed(small, alkenyl, alkene, alkyl, diene, loss)
        yield f"1-{stem(n)}ene", "C" * (n - 2) + "C=C", 100 * n - 10, ions


def alkadienes() -> Iterator[Member]:
    """Alkadienes with a double bond at either end, of heated polyethylene: CnH2n-3, CnH2n-4."""
    for n in range(6, 24):
        mass = 14 * n - 2
        long = min(max((n - 8) / 8, 0.0), 1.0)
        if n == 6:
            ions: Ions = {27: 34, 39: 48, 40: 8, 41: 100, 42: 24, 53: 10, 54: 60, 67: 88, 81: 4,
                          82: 3}
            yield "1,5-hexadiene", "C=CCCC=C", 580, mixed(ions)
            continue
        dienyl = cluster(53, [13, 62 - 6 * long, 40 + 28 * long, 12 + 38 * long, 3 + 20 * long,
                              8 * long, 5 * long], mass - 29, 0.6)
        diene = cluster(54, [75 - 20 * long, 50, 20 + 36 * long, 4 + 34 * long, 14 * long,
                             7 * long], mass - 28, 0.55)
        alkenyl = cluster(41, [90 - 10 * long, 100, 25 + 25 * long, 2 + 26 * long, 11 * long],
                          min(mass - 41, 125), 0.5)
        small = {27: 32 - 18 * long, 29: 26 - 6 * long, 39: 46 - 24 * long, 42: 22 - 8 * long,
                 43: 10 + 10 * long, 56: 12 + 2 * long, 70: 4 + 8 * long}
        ions = mixed(small, dienyl, diene, alkenyl, {mass: 1.5})
        yield f"1,{n - 1}-{stem(n)}adiene", "C=C" + "C" * (n - 4) + "C=C", 100 * n - 17, ions


def alkylbenzenes() -> Iterator[Member]:
    """n-Alkylbenzenes: 91, and from butyl on 92 by rearrangement."""
    for n in range(3, 17):
        mass = 78 + 14 * n
        rearranged = {3: 10, 4: 56, 5: 62, 6: 78, 7: 88}.get(n, 100)
        ring = {39: 8, 51: 6, 63: 3, 65: 11, 77: 6, 78: 7, 91: 100, 92: rearranged - 8}
        more = {103: 4, 104: 6, 105: 6 if n == 3 else 10, 115: 2, 117: 2}
        chain = cluster(41, [4 + min(n, 12), 0.8 * max(n - 5, 0)], 55)
        alkyl = cluster(43, [2.2 * max(n - 4, 0), 1.1 * max(n - 6, 0), 0.5 * max(n - 8, 0)], 71)
        phenylalkyl = {119: 2, 133: 6 if n > 5 else 0, 147: 1.5 if n > 7 else 0}
        molecule = {mass: 27 if n < 9 else 22}
        name = f"{stem(n)}ylbenzene"
        yield name, "C" * n + "c1ccccc1", 660 + 98 * n, mixed(
            ring, more, chain, alkyl, phenylalkyl, molecule, {27: 5, 29: 6 if n > 3 else 2}
        )


def alkylcyclohexanes() -> Iterator[Member]:
    """n-Alkylcyclohexanes: 83 by loss of the chain, and 82."""
    for n in range(2, 13):
        mass = 84 + 14 * n
        ring = {27: 12, 29: 12, 39: 18, 41: 40, 42: 8, 53: 6, 54: 7, 55: 84 - 2.4 * n, 56: 12,
                67: 16, 68: 6, 69: 16, 81: 7, 82: min(38 + 6 * n, 80), 83: 93}
        chain = {43: 3 + 2.4 * n, 57: 1 + 1.4 * n, 70: 5, 71: 1.0 * n, 96: 1.6 * n, 97: 1.7 * n,
                 111: 1.2 * max(n - 3, 0), 110: 0.6 * max(n - 4, 0)}
        index = 730 + 101 * (n - 1)
        yield f"{stem(n)}ylcyclohexane", "C" * n + "C1CCCCC1", index, mixed(
            ring, chain, {mass: 23 - n}
        )


def nitriles() -> Iterator[Member]:
    """n-Alkanenitriles: 41 (CH2CNH), 82, 96, 97, 110, 124; no molecular ion but M-1."""
    for n in (5, *range(7, 16), 17, 18, 20):
        mass = 14 * n - 1
        if n == 5:
            ions = {27: 40, 28: 14, 29: 18, 39: 34, 41: 100, 42: 14, 43: 84, 53: 4, 54: 52, 55: 34,
                    68: 4, 82: 3}
            yield "pentanenitrile", "CCCCC#N", 770, mixed(ions)
            continue
        long = min(max((n - 7) / 7, 0.0), 1.0)
        nitrile = {54: 46 - 22 * long, 68: 16 + 4 * long, 82: 84 - 34 * long, 83: 30 + 6 * long,
                   96: 38 + 14 * long}
        more = {110: 54, 124: 36, 138: 22, 152: 14, 166: 9, 180: 6, 194: 5, 208: 4}
        acid = {mz: height * (0.35 + 0.65 * long) for mz, height in more.items() if mz < mass - 14}
        rearranged = {97: 8 + 46 * long, 111: 6 * long, 125: 3 * long}
        alkyl = cluster(43, [65 + 20 * long, 36 + 30 * long, 4 + 20 * long, 7 * long], 85)
        alkenyl = cluster(41, [100, 52 + 16 * long, 26 + 20 * long], 69)
        small = {27: 36 - 18 * long, 28: 12, 29: 40 - 16 * long, 39: 28 - 14 * long, 42: 12,
                 56: 12, 70: 9 + 6 * long, 84: 3 + 6 * long}
        yield f"{stem(n)}anenitrile", "C" * (n - 1) + "C#N", 100 * n + 280, mixed(
            nitrile, acid, rearranged, alkyl, alkenyl, small, {mass - 1: 3}
        )


def amides() -> Iterator[Member]:
    """n-Alkanamides: 59 by rearrangement, 72 by cleavage of the chain, 44."""
    for n in (4, 5, 6, 8, 9, 10, 12, 14, 18):
        mass = 14 * n + 31
        long = min(max((n - 4) / 10, 0.0), 1.0)
        ions = {27: 16 - 8 * long, 28: 12 - 6 * long, 29: 14 - 2 * long, 39: 10 - 4 * long,
                41: 20 + 4 * long, 43: 24 + 4 * long, 44: 36 - 18 * long, 55: 6 + 14 * long,
                57: 6 + 10 * long, 59: 100, 60: 4 + 4 * long, 69: 8 * long, 71: 3 + 1 * long,
                72: 14 + 26 * long, 73: 4 + 2 * long, 83: 4 * long}
        if n > 5:
            ions |= {86: 9.0, 100: 2.5, 114: 4.5 if n > 8 else 0.0, 128: 5.0 if n > 9 else 0.0}
        ions[mass] = ions.get(mass, 0) + 2.5
        name = f"{stem(n)}anamide"
        yield name, "C" * (n - 1) + "C(N)=O", 100 * n + 560, mixed(ions)


def amines() -> Iterator[Member]:
    """1-Alkanamines: 30 (CH2NH2) and little else."""
    for n in (5, 6, 7, 8, 9, 10, 12, 14, 16, 18):
        mass = 14 * n + 17
        chain = {41: 7 + 0.2 * n, 43: 4 + 0.4 * n, 55: 3 + 0.3 * n, 57: 1 + 0.25 * n,
                 69: 1 + 0.1 * n, 70: 2.5, 86: 2.5 if n > 6 else 1, 100: 1.2 if n > 7 else 0}
        small = {27: 7, 28: 10, 29: 6, 30: 100, 39: 4, 42: 4, 44: 5, 45: 3, 56: 4}
        yield f"1-{stem(n)}anamine", "C" * n + "N", 100 * n + 310, mixed(small, chain, {mass: 2})


def thiols() -> Iterator[Member]:
    """1-Alkanethiols: 47 (CH2SH), 61, loss of hydrogen sulfide, and alkene ions of the chain."""
    short: dict[int, tuple[float, Ions]] = {
        3: (615, {27: 45, 29: 10, 35: 6, 39: 22, 41: 52, 42: 55, 43: 76, 45: 14, 46: 8, 47: 84,
                  48: 7, 59: 5, 61: 12, 75: 3, 76: 100, 78: 4.6}),
        5: (825, {27: 32, 29: 36, 39: 26, 41: 66, 42: 100, 43: 32, 45: 14, 47: 48, 55: 82, 57: 10,
                  61: 26, 69: 6, 70: 80, 71: 6, 75: 4, 104: 52, 106: 2.5}),
        6: (925, {27: 32, 29: 26, 39: 24, 41: 66, 42: 54, 43: 74, 45: 12, 47: 40, 55: 52, 56: 100,
                  61: 16, 69: 30, 75: 3, 82: 4, 83: 6, 84: 42, 118: 40, 120: 2}),
    }
    for n in (3, 5, 6, 7, 8, 9, 10, 12):
        mass = 14 * n + 34
        if n in short:
            index, ions = short[n]
        else:
            index = 100 * n + 330
            long = (n - 7) / 5
            ions = {27: 28 - 12 * long, 29: 36 - 10 * long, 39: 26 - 12 * long, 41: 88 - 8 * long,
                    42: 44 - 14 * long, 43: 80 + 10 * long, 45: 10 - 4 * long, 47: 32 - 12 * long,
                    54: 8 + 4 * long, 55: 80 + 10 * long, 56: 80 - 10 * long, 57: 44 + 20 * long,
                    61: 20 + 4 * long, 67: 6 + 10 * long, 68: 8 + 24 * long, 69: 50 + 20 * long,
                    70: 80 - 20 * long, 71: 6 + 12 * long, 75: 4 + 3 * long, 81: 2 + 6 * long,
                    82: 4 + 18 * long, 83: 18 + 42 * long, 84: 14 + 22 * long, 85: 3 + 4 * long,
                    87: 4 + 6 * long, 89: 6 + 3 * long, 97: 4 + 34 * long, 98: 12 + 8 * long,
                    111: 16 * long, 112: 12 * long, 140: 3 * long,
                    mass - 34: 16 - 4 * long, mass: 34 - 14 * long}
        yield f"1-{stem(n)}anethiol", "C" * n + "S", index, mixed(ions)


def alcohols() -> Iterator[Member]:
    """1-Alkanols: ions of the alkene that loss of water leaves, and 31."""
    for n in (7, 9, 10, 11, 13, 14, 15, 16, 17, 18, 20, 22):
        mass = 14 * n + 18
        long = min(max((n - 7) / 7, 0.0), 1.0)
        alkenyl = cluster(41, [90 - 14 * long, 68 + 28 * long, 50 + 22 * long, 10 + 62 * long,
                               2 + 48 * long, 26 * long, 12 * long], mass - 46, 0.5)
        alkene = cluster(42, [56 - 28 * long, 88 - 26 * long, 86 - 34 * long, 16 + 16 * long,
                              8 + 10 * long, 10 * long, 6 * long], mass - 46, 0.6)
        alkyl = cluster(43, [84 + 12 * long, 42 + 44 * long, 5 + 28 * long, 10 * long], 85)
        diene = {54: 8 + 6 * long, 67: 8 + 14 * long, 68: 14 + 24 * long, 81: 4 + 14 * long,
                 82: 4 + 34 * long, 96: 14 * long, 110: 4 * long}
        small = {27: 40 - 20 * long, 29: 54 - 18 * long, 31: 62 - 38 * long, 39: 28 - 14 * long}
        loss = {mass - 46: 4, mass - 18: 2}
        yield f"1-{stem(n)}anol", "C" * n + "O", 100 * n + 272, mixed(
            alkenyl, alkene, alkyl, diene, small, loss
        )


def aldehydes() -> Iterator[Member]:
    """n-Alkanals: 44 by rearrangement, loss of it, and 57, 82, 96 of the longer ones."""
    heptanal = {27: 44, 29: 56, 39: 32, 41: 76, 42: 52, 43: 86, 44: 100, 45: 26, 53: 6, 54: 9,
                55: 64, 56: 24, 57: 52, 67: 6, 68: 14, 70: 92, 71: 34, 72: 10, 81: 20, 86: 16,
                96: 10, 114: 2}
    octanal = {27: 38, 29: 58, 39: 28, 41: 84, 42: 46, 43: 100, 44: 88, 45: 22, 54: 12, 55: 62,
               56: 82, 57: 66, 67: 20, 68: 28, 69: 44, 70: 14, 71: 12, 72: 9, 81: 28, 82: 24,
               83: 9, 84: 56, 85: 24, 95: 10, 100: 13, 110: 9, 128: 1.5}
    yield "heptanal", "CCCCCCC=O", 903, mixed(heptanal)
    yield "octanal", "CCCCCCCC=O", 1004, mixed(octanal)
    for n in (11, 12, 13, 14, 15, 16, 18):
        mass = 14 * n + 16
        long = (n - 11) / 7
        acyl = {44: 72 - 20 * long, 58: 14, 71: 28 + 6 * long, 72: 10, 85: 12 + 10 * long}
        alkyl = {29: 44 - 12 * long, 41: 92 - 20 * long, 42: 26 - 6 * long, 43: 100, 55: 82,
                 56: 34, 57: 94, 69: 46, 70: 26, 83: 36 + 8 * long, 84: 12, 97: 18 + 12 * long,
                 111: 6 + 8 * long, 125: 3 + 3 * long}
        diene = {54: 26 - 10 * long, 67: 46 - 10 * long, 68: 54 - 14 * long, 81: 36,
                 82: 82 - 4 * long, 95: 32, 96: 46 + 14 * long, 109: 10 + 4 * long,
                 110: 16 + 6 * long, 124: 6 + 6 * long}
        loss = {mass - 44: 5, mass - 28: 6, mass - 18: 6, mass: 1.5}
        small = {27: 22, 39: 18, 45: 16 - 6 * long}
        name = f"{stem(n)}anal"
        yield name, "C" * (n - 1) + "C=O", 100 * n + 208, mixed(acyl, alkyl, diene, loss, small)


def methyl_ketones() -> Iterator[Member]:
    """2-Alkanones: 43 (acetyl), 58 by rearrangement, 59, 71."""
    for n in (6, 7, 8, 10, 11, 12, 13, 15, 17, 19):
        mass = 14 * n + 16
        long = min(max((n - 6) / 7, 0.0), 1.0)
        ions = {27: 12, 29: 14, 39: 8, 41: 12 + 10 * long, 42: 6, 43: 100, 55: 5 + 12 * long,
                57: 14 + 4 * long, 58: 56 + 38 * long, 59: 4 + 28 * long, 71: 6 + 26 * long,
                72: 1 + 3 * long, 85: 5 + 6 * long, mass - 15: 5 - 2 * long, mass: 8 - 3 * long}
        more = {69: 8, 70: 3, 81: 3, 82: 6, 83: 4, 96: 7, 97: 3, 110: 2, 127: 3}
        chain = {mz: height * long for mz, height in more.items()}
        index = 790 + 100 * (n - 6)
        name = f"2-{stem(n)}anone"
        yield name, "C" * (n - 2) + "C(C)=O", index, mixed(ions, chain)


def acids() -> Iterator[Member]:
    """n-Alkanoic acids: 60 by rearrangement, 73, 87, 129, 185, losses of alkyl, the molecule."""
    for n in (7, 9, 11, 13, 14, 15, 17, 19, 20, 22, 24):
        mass = 14 * n + 32
        long = min(max((n - 7) / 7, 0.0), 1.0)
        acid = {45: 17 - 4 * long, 60: 100 - 14 * long, 61: 8 + 5 * long, 73: 62 + 38 * long,
                74: 4, 87: 24, 101: 12, 115: 10 + 4 * long}
        if n > 8:
            acid |= {129: 18 + 20 * long, 143: 3 + 4 * long}
        if n > 11:
            acid |= {157: 6.0, 171: 9.0, 185: 18.0 if n > 13 else 6.0}
        if n > 16:
            acid |= {199: 5.0, 213: 7.0, 227: 7.0, 241: 8.0}
        chain = {27: 20 - 6 * long, 29: 26 - 4 * long, 39: 17 - 7 * long, 41: 44 + 20 * long,
                 42: 14 - 2 * long, 43: 36 + 44 * long, 55: 30 + 36 * long, 56: 10 + 4 * long,
                 57: 14 + 40 * long, 69: 18 + 18 * long, 70: 6 + 4 * long, 71: 4 + 24 * long,
                 83: 6 + 16 * long, 84: 6 + 6 * long, 85: 2 + 18 * long, 97: 14 * long,
                 98: 8 * long, 111: 6 * long}
        high = {mass - 43: 4 + 12 * long, mass - 29: 4 + 4 * long, mass: 1 + 20 * long}
        yield f"{stem(n)}anoic acid", "C" * (n - 1) + "C(=O)O", 100 * n + 370, mixed(
            acid, chain, high
        )


def methyl_esters() -> Iterator[Member]:
    """Methyl n-alkanoates: 74 by rearrangement, 87, 143, 199, losses of 31 and 43."""
    propanoate = {15: 10, 26: 14, 27: 26, 28: 26, 29: 84, 31: 5, 42: 5, 45: 8, 56: 6, 57: 100,
                  59: 26, 88: 26}
    butanoate = {15: 12, 27: 28, 28: 8, 29: 13, 31: 6, 39: 12, 41: 30, 42: 14, 43: 92, 45: 6,
                 55: 14, 59: 26, 71: 54, 74: 74, 87: 20, 102: 2}
    pentanoate = {27: 20, 28: 8, 29: 28, 31: 5, 39: 12, 41: 26, 42: 10, 43: 32, 55: 20, 57: 36,
                  59: 20, 74: 100, 85: 34, 87: 24, 101: 3, 115: 2}
    yield "methyl propanoate", "CCC(=O)OC", 630, mixed(propanoate)
    yield "methyl butanoate", "CCCC(=O)OC", 722, mixed(butanoate)
    yield "methyl pentanoate", "CCCCC(=O)OC", 824, mixed(pentanoate)
    for n in (6, 7, 11, 13, 15, 19, 21, 23, 25, 27):
        mass = 14 * n + 46
        long = min(max((n - 6) / 8, 0.0), 1.0)
        ester = {59: 18 - 8 * long, 74: 100, 75: 4 + 14 * long, 87: 30 + 36 * long,
                 88: 2 + 3 * long, 101: 8 + 2 * long, 115: 3 + 2 * long, 129: 3 + 5 * long}
        if n > 8:
            ester |= {143: 14.0, 157: 3.0}
        if n > 12:
            ester |= {171: 4.0, 185: 5.0, 199: 10.0, 213: 3.0}
        if n > 16:
            ester |= {227: 4.0, 241: 4.0, 255: 8.0}
        chain = {27: 16, 28: 5, 29: 20 - 4 * long, 39: 10, 41: 24 + 8 * long, 42: 10,
                 43: 38 + 6 * long, 55: 22 + 10 * long, 56: 4 + 2 * long, 57: 8 + 14 * long,
                 69: 10 + 6 * long, 71: 4 + 4 * long, 83: 3 + 7 * long, 97: 8 * long,
                 111: 3 * long}
        high = {mass - 43: 6 + 5 * long, mass - 31: 20 - 13 * long, mass - 29: 3,
                mass: 1 + 9 * long}
        yield f"methyl {stem(n)}anoate", "C" * (n - 1) + "C(=O)OC", 100 * n + 325, mixed(
            ester, chain, high
        )


def ethyl_esters() -> Iterator[Member]:
    """Ethyl n-alkanoates: 88 by rearrangement, 101, loss of 45."""
    short: dict[int, tuple[float, Ions]] = {
        3: (711, {26: 12, 27: 44, 28: 24, 29: 86, 31: 5, 45: 15, 57: 100, 73: 10, 74: 14, 75: 14,
                  102: 16}),
        4: (800, {27: 32, 28: 10, 29: 42, 31: 6, 39: 11, 41: 28, 42: 14, 43: 100, 45: 14, 55: 8,
                  60: 22, 61: 10, 70: 6, 71: 90, 73: 16, 88: 60, 89: 12, 101: 10, 116: 3}),
        5: (901, {27: 22, 28: 7, 29: 56, 39: 10, 41: 32, 42: 10, 43: 20, 45: 14, 55: 24, 57: 70,
                  60: 34, 61: 18, 70: 14, 73: 28, 85: 92, 88: 100, 101: 24, 115: 4}),
        6: (1000, {27: 22, 28: 8, 29: 50, 39: 12, 41: 30, 42: 18, 43: 68, 45: 14, 55: 26, 60: 42,
                   61: 22, 70: 26, 71: 24, 73: 30, 87: 8, 88: 100, 89: 6, 99: 56, 101: 28,
                   115: 8, 117: 8, 144: 2}),
    }
    for n in (3, 4, 5, 6, 8, 10, 12, 14, 16, 18):
        mass = 14 * n + 60
        if n in short:
            index, ions = short[n]
        else:
            index = 100 * n + 395
            long = min((n - 8) / 8, 1.0)
            ions = {27: 16 - 4 * long, 29: 42 - 14 * long, 39: 9, 41: 30 + 4 * long, 42: 8,
                    43: 34 + 8 * long, 45: 8 - 2 * long, 55: 32, 57: 36 - 10 * long,
                    60: 26 - 12 * long, 61: 20 - 6 * long, 69: 14 + 4 * long, 70: 28 - 12 * long,
                    71: 10 + 2 * long, 73: 32 - 8 * long, 83: 10 + 2 * long, 84: 10, 88: 100,
                    89: 8 + 6 * long, 97: 4 + 4 * long, 101: 36 + 18 * long, 102: 2 + 2 * long,
                    115: 10 - 2 * long, 143: 2 + 4 * long, 157: 14 * (n > 8), 213: 6 * (n > 13),
                    mass - 43: 5 + 4 * long, mass - 45: 36 - 28 * long, mass: 2 + 6 * long}
        name = f"ethyl {stem(n)}anoate"
        yield name, "C" * (n - 1) + "C(=O)OCC", index, mixed(ions)


def alkylfurans() -> Iterator[Member]:
    """2-Alkylfurans: 81 by cleavage beside the ring, and of longer chains 82 by rearrangement."""
    for n in range(2, 9):
        mass = 68 + 14 * n
        long = min(max((n - 4) / 3, 0.0), 1.0)
        ions = {27: 13 - 6 * long, 29: 3 if n == 2 else 5, 39: 13 - 6 * long, 41: 5 + n,
                43: 2 + 14 * long, 51: 7 - 4 * long, 52: 5 - 3 * long, 53: 34 if n == 2 else 16,
                54: 4, 55: 2 + 0.7 * n, 65: 6 - 4 * long, 67: 3 + 8 * long, 68: 3 + 9 * long,
                81: 100, 82: 3 + 54 * long, 94: 4 if n > 3 else 1, 95: 5 + 26 * long,
                96: 10 * long, 109: 5 * long, 110: 3 * long, 123: 15 * long if n > 5 else 0,
                mass: 48 if n == 2 else 24}
        yield f"2-{stem(n)}ylfuran", "C" * n + "c1ccco1", 702 + 99 * (n - 2), mixed(ions)


def alkylthiophenes() -> Iterator[Member]:
    """2-Alkylthiophenes: 97 by cleavage beside the ring, and 98 by rearrangement."""
    for n in range(2, 13):
        mass = 82 + 14 * n
        long = min(max((n - 3) / 4, 0.0), 1.0)
        ions = {27: 7 - 4 * long, 39: 10 - 5 * long, 41: 2 + min(n, 7), 43: 1.8 * min(n - 1, 6),
                45: 16 - 9 * long, 53: 8 - 4 * long, 55: 0.6 * n, 58: 4 - 3 * long,
                59: 6 - 4 * long, 65: 3, 69: 6 - 5 * long, 77: 2, 84: 5 * long, 85: 4 * long,
                97: 100, 98: 48 * long, 99: 5 + 8 * long, 110: 3 * long, 111: 2 + 9 * long,
                123: 1.5 * long, mass: 46 if n == 2 else 24}
        yield f"2-{stem(n)}ylthiophene", "C" * n + "c1cccs1", 868 + 99 * (n - 2), mixed(ions)


def chloroalkanes() -> Iterator[Member]:
    """1-Chloroalkanes from octane on: the ring 91 and 93, with one chlorine, and the chain."""
    for n in (7, 8, 9, 10, 12, 14, 16, 18):
        mass = 14 * n + 36
        long = min((n - 7) / 9, 1.0)
        chlorine = {91: 92 - 30 * long, 105: (4 + 18 * (n > 7)) * (1 - 0.3 * long), 63: 5, 77: 3}
        ions = {27: 26 - 12 * long, 29: 36 - 10 * long, 39: 22 - 10 * long, 41: 78 - 8 * long,
                42: 30 - 8 * long, 43: 84 + 16 * long, 55: 78, 56: 56 - 20 * long,
                57: 34 + 52 * long, 69: 46 + 10 * long, 70: 40 - 10 * long, 71: 6 + 38 * long,
                83: 12 + 30 * long, 84: 8 + 6 * long, 85: 4 + 24 * long, 97: 2 + 28 * long,
                98: 4 + 2 * long, 111: 10 * long, mass: 0.9}
        for mz, height in chlorine.items():
            ions[mz] = ions.get(mz, 0.0) + height
            ions[mz + 2] = ions.get(mz + 2, 0.0) + 0.32 * height
        name = f"1-chloro{stem(n)}ane"
        yield name, "C" * n + "Cl", 100 * n + 255, mixed(ions)


TMS = "O[Si](C)(C)C"


def silicon(ions: Mapping[int, float], atoms: int = 1) -> Ions:
    """Add the isotopes of silicon."""
    total: Ions = {}
    for mz, height in ions.items():
        for more, share in ((0, 1.0), (1, 0.051 * atoms), (2, 0.034 * atoms)):
            total[mz + more] = total.get(mz + more, 0.0) + height * share
    return total


def tms_acids() -> Iterator[Member]:
    """TMS esters of acids: loss of methyl, 73, 75, and of longer ones 117, 129, 132, 145."""
    short: dict[int, tuple[str, float, Ions]] = {
        1: ("formic acid", 540, {45: 20, 47: 16, 73: 22, 75: 50, 103: 100, 59: 6, 43: 5, 61: 5}),
        2: ("acetic acid", 635, {43: 14, 45: 24, 47: 14, 61: 8, 73: 56, 75: 84, 117: 100}),
        3: ("propanoic acid", 712, {29: 12, 45: 16, 47: 10, 57: 14, 61: 5, 73: 58, 75: 96,
                                    131: 100}),
        4: ("butanoic acid", 795, {43: 22, 45: 16, 47: 10, 71: 8, 73: 52, 75: 98, 103: 4,
                                   117: 10, 145: 100}),
        5: ("pentanoic acid", 885, {41: 12, 45: 12, 47: 8, 57: 14, 73: 54, 75: 96, 85: 6, 117: 38,
                                    129: 8, 132: 12, 159: 100}),
    }
    for n, (name, index, ions) in short.items():
        smiles = ("" if n == 1 else "C" * (n - 2) + "C") + "C(=O)" + TMS
        yield f"{name}, 1 TMS", "C" * (n - 1) + "C(=O)" + TMS if n > 1 else smiles, index, mixed(
            silicon(ions)
        )
    for n in (6, 9, 11, 13, 15, 19, 21, 23, 24, 26, 28):
        mass = 14 * n + 104
        long = min((n - 6) / 10, 1.0)
        ester = {45: 9, 47: 7, 73: 64 + 30 * long, 75: 100 - 12 * long, 117: 52 + 40 * long,
                 129: 24 + 24 * long, 131: 10 + 4 * long, 132: 18 + 28 * long,
                 145: 4 + 18 * long, 185: 3 * long, 201: 5 * long, mass - 15: 100 - 20 * long,
                 mass: 1 + 8 * long}
        chain = {41: 16 + 6 * long, 43: 16 + 20 * long, 55: 14 + 14 * long, 57: 6 + 14 * long,
                 69: 4 + 8 * long, 83: 8 * long}
        name = f"{stem(n)}anoic acid, 1 TMS"
        smiles = "C" * (n - 1) + "C(=O)" + TMS
        yield name, smiles, 98.5 * n + 478, mixed(silicon(ester), chain)


def tms_alcohols() -> Iterator[Member]:
    """TMS ethers of 1-alkanols: loss of methyl, 75, 103, 73."""
    for n in (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 18, 20, 22, 24):
        mass = 14 * n + 90
        long = min(max((n - 4) / 10, 0.0), 1.0)
        middle = 1.0 if 5 < n < 11 else 0.0  # the loss of silanol leaves C6 to C9 alkenyl ions
        ether = {45: 8 if n < 8 else 4, 47: 6 if n < 8 else 2, 59: 5, 61: 4,
                 73: 28 + 10 * long, 75: 96 - 14 * long, 89: 5 + 4 * long + 4 * middle,
                 103: (60 if n == 2 else 16 + 6 * long) + 6 * middle, 115: 3 * (n > 3),
                 mass - 15: 100}
        chain = {41: 6 + 5 * long + 6 * middle, 42: 4 * middle, 43: 6 + 13 * long + 4 * middle,
                 55: 6 + 12 * long + 8 * middle, 56: 6 * middle, 57: 4 + 11 * long + 8 * middle,
                 69: 1 + 9 * long + 18 * middle, 70: 5 * middle, 83: 10 * long, 97: 8 * long,
                 111: 4 * long}
        index = {2: 600, 3: 690}.get(n, 100 * n + 380 if n < 9 else 98 * n + 400)
        name = "ethanol" if n == 2 else f"1-{stem(n)}anol"
        yield f"{name}, 1 TMS", "C" * n + TMS, index, mixed(silicon(ether), chain)


# fmt: on
SERIES: tuple[Callable[[], Iterator[Member]], ...] = (
    alkanes,
    alkenes,
    alkadienes,
    alkylbenzenes,
    alkylcyclohexanes,
    nitriles,
    amides,
    amines,
    thiols,
    alcohols,
    aldehydes,
    methyl_ketones,
    acids,
    methyl_esters,
    ethyl_esters,
    alkylfurans,
    alkylthiophenes,
    chloroalkanes,
    tms_acids,
    tms_alcohols,
)
"""Every series."""
