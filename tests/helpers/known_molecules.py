"""Well-known molecules and the families that a chemist puts them in."""

from __future__ import annotations

CODES = {
    "ar": "aromatic",
    "hc": "hydrocarbon",
    "ac": "carboxylic_acid",
    "N": "nitrogen_bearing_compound",
    "Cl": "chlorine_bearing_compound",
    "S": "sulfur_bearing_compound",
    "al": "alcohol",
    "ox": "other_oxygen_bearing_compound",
    "mi": "mineral",
}

MOLECULES = """
methane                     C                                           hc
hexadecane                  CCCCCCCCCCCCCCCC                            hc
isoprene                    CC(=C)C=C                                   hc
acetylene                   C#C                                         hc
cyclohexane                 C1CCCCC1                                    hc
limonene                    CC1=CCC(CC1)C(=C)C                          hc
squalane                    CC(C)CCCC(C)CCCC(C)CCCCC(C)CCCC(C)CCCC(C)C  hc
cholestane                  CC(C)CCCC(C)C1CCC2C1(CCC3C2CCC4C3(CCCC4)C)C hc
1,3-cyclopentadiene         C1C=CC=C1                                   hc
cyclooctatetraene           C1=CC=CC=CC=C1                              hc
benzene                     c1ccccc1                                    ar hc
toluene                     Cc1ccccc1                                   ar hc
styrene                     C=Cc1ccccc1                                 ar hc
naphthalene                 C1=CC=C2C=CC=CC2=C1                         ar hc
azulene                     c1ccc2cccc2cc1                              ar hc
pyrene                      c1cc2ccc3cccc4ccc(c1)c2c34                  ar hc
coronene                    c1cc2ccc3ccc4ccc5ccc6ccc1c7c2c3c4c5c67      ar hc
formic_acid                 OC=O                                        ac
acetic_acid                 CC(=O)O                                     ac
palmitic_acid               CCCCCCCCCCCCCCCC(=O)O                       ac
oleic_acid                  CCCCCCCCC=CCCCCCCCC(=O)O                    ac
oxalic_acid                 OC(=O)C(=O)O                                ac
succinic_acid               OC(=O)CCC(=O)O                              ac
sodium_acetate              CC(=O)[O-].[Na+]                            ac
potassium_benzoate          [K+].[O-]C(=O)c1ccccc1                       ar ac
benzoic_acid                OC(=O)c1ccccc1                              ar ac
mellitic_acid               OC(=O)c1c(C(O)=O)c(C(O)=O)c(C(O)=O)c(C(O)=O)c1C(O)=O  ar ac
phthalic_acid               OC(=O)c1ccccc1C(=O)O                        ar ac
lactic_acid                 CC(O)C(=O)O                                 ac al
citric_acid                 OC(=O)CC(O)(CC(=O)O)C(=O)O                  ac al
mandelic_acid               OC(=O)C(O)c1ccccc1                          ar ac al
pyruvic_acid                CC(=O)C(=O)O                                ac ox
salicylic_acid              OC(=O)c1ccccc1O                             ar ac ox
aspirin                     CC(=O)Oc1ccccc1C(=O)O                       ar ac ox
vanillic_acid               COc1cc(ccc1O)C(=O)O                         ar ac ox
trifluoroacetic_acid        OC(=O)C(F)(F)F                              ac
chloroacetic_acid           OC(=O)CCl                                   ac Cl
thioglycolic_acid           OC(=O)CS                                    ac S
nicotinic_acid              OC(=O)c1cccnc1                              ar ac N
glycine                     NCC(=O)O                                    ac N
alanine_zwitterion          C[C@H]([NH3+])C(=O)[O-]                     ac N
serine                      N[C@@H](CO)C(=O)O                           ac N al
cysteine                    N[C@@H](CS)C(=O)O                           ac N S
phenylalanine               N[C@@H](Cc1ccccc1)C(=O)O                    ar ac N
tyrosine                    N[C@@H](Cc1ccc(O)cc1)C(=O)O                 ar ac N ox
asparagine                  NC(=O)C[C@H](N)C(=O)O                       ac N ox
methylamine                 CN                                          N
putrescine                  NCCCCN                                      N
acetonitrile                CC#N                                        N
hydrogen_cyanide            C#N                                         N
aniline                     Nc1ccccc1                                   ar N
pyridine                    c1ccncc1                                    ar N
pyrrole                     c1cc[nH]c1                                  ar N
indole                      c1ccc2[nH]ccc2c1                            ar N
adenine                     Nc1ncnc2[nH]cnc12                           ar N
uracil                      O=c1cc[nH]c(=O)[nH]1                        ar N ox
caffeine                    Cn1cnc2c1c(=O)n(C)c(=O)n2C                  ar N ox
acetamide                   CC(N)=O                                     N ox
urea                        NC(N)=O                                     N ox
dimethylformamide           CN(C)C=O                                    N ox
caprolactam                 O=C1CCCCCN1                                 N ox
nitrobenzene                O=[N+]([O-])c1ccccc1                        ar N ox
trimethylamine_oxide        C[N+](C)(C)[O-]                             N ox
acetoxime                   CC(C)=NO                                    N ox
ethanolamine                NCCO                                        N al
morpholine                  C1COCCN1                                    N ox
chloromethane               CCl                                         Cl
chloroform                  ClC(Cl)Cl                                   Cl
carbon_tetrachloride        ClC(Cl)(Cl)Cl                               Cl
chlorobenzene               Clc1ccccc1                                  ar Cl
hexachlorobenzene           Clc1c(Cl)c(Cl)c(Cl)c(Cl)c1Cl                ar Cl
phosgene                    ClC(=O)Cl                                   Cl ox
acetyl_chloride             CC(=O)Cl                                    Cl ox
2-chloroethanol             OCCCl                                       Cl al
4-chloroaniline             Nc1ccc(Cl)cc1                               ar N Cl
methylamine_hydrochloride   CN.Cl                                       N Cl
methanethiol                CS                                          S
dimethyl_disulfide          CSSC                                        S
thiophene                   c1ccsc1                                     ar S
benzothiazole               c1ccc2scnc2c1                               ar N S
thiourea                    NC(N)=S                                     N S
dimethyl_sulfoxide          CS(C)=O                                     S ox
methanesulfonic_acid        CS(=O)(=O)O                                 S ox
thioacetic_acid             CC(=O)S                                     S ox
mustard_gas                 ClCCSCCCl                                   Cl S
methanol                    CO                                          al
glycerol                    OCC(O)CO                                    al
cholesterol                 CC(C)CCCC(C)C1CCC2C1(CCC3C2CC=C4C3(CCC(O)C4)C)C  al
benzyl_alcohol              OCc1ccccc1                                  ar al
sodium_ethoxide             CC[O-].[Na+]                                al
myo-inositol                OC1C(O)C(O)C(O)C(O)C1O                      al
glucose                     OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O      al ox
glucose_open_chain          OCC(O)C(O)C(O)C(O)C=O                       al ox
ethylene_glycol_monomethyl  COCCO                                       al ox
phenol                      Oc1ccccc1                                   ar ox
catechol                    Oc1ccccc1O                                  ar ox
vanillin                    COc1cc(C=O)ccc1O                            ar ox
acetone                     CC(C)=O                                     ox
formaldehyde                C=O                                         ox
diethyl_ether               CCOCC                                       ox
ethyl_acetate               CCOC(C)=O                                   ox
methyl_formate              COC=O                                       ox
dimethyl_carbonate          COC(=O)OC                                   ox
acetic_anhydride            CC(=O)OC(C)=O                               ox
gamma-butyrolactone         O=C1CCCO1                                   ox
tert-butyl_hydroperoxide    CC(C)(C)OO                                  ox
1,4-benzoquinone            O=C1C=CC(=O)C=C1                            ox
hexafluoroacetone           FC(F)(F)C(=O)C(F)(F)F                       ox
triethyl_phosphate          CCOP(=O)(OCC)OCC                            ox
methylphosphonic_acid       CP(=O)(O)O                                  ox
phenylboronic_acid          OB(O)c1ccccc1                               ar ox
peracetic_acid              CC(=O)OO                                    ox
furan                       c1ccoc1                                     ar ox
dibutyl_phthalate           CCCCOC(=O)c1ccccc1C(=O)OCCCC                ar ox
carbon_dioxide              O=C=O                                       mi
carbon_monoxide             [C-]#[O+]                                   mi
water                       O                                           mi
hydrogen                    [H][H]                                      mi
nitrogen                    N#N                                         mi
oxygen                      O=O                                         mi
argon                       [Ar]                                        mi
ammonia                     N                                           N mi
nitric_oxide                [N]=O                                       N mi
sulfur_dioxide              O=S=O                                       S mi
hydrogen_sulfide            S                                           S mi
octasulfur                  S1SSSSSSS1                                  S mi
carbonyl_sulfide            O=C=S                                       S mi
carbon_disulfide            S=C=S                                       S mi
hydrogen_chloride           Cl                                          Cl mi
halite                      [Na+].[Cl-]                                 Cl mi
calcium_perchlorate         [Ca+2].[O-]Cl(=O)(=O)=O.[O-]Cl(=O)(=O)=O    Cl mi
calcite                     [Ca+2].[O-]C([O-])=O                        mi
nahcolite                   [Na+].OC([O-])=O                            mi
anhydrite                   [Ca+2].[O-]S([O-])(=O)=O                    S mi
phosphoric_acid             OP(O)(O)=O                                  mi
silicon_tetrafluoride       F[Si](F)(F)F                                mi
tetramethylsilane           C[Si](C)(C)C                                -
bromoethane                 CCBr                                        -
hexafluoroethane            FC(F)(F)C(F)(F)F                            -
diacetylene                 C#CC#C                                      hc
tricarbon                   [C]=C=[C]                                   -
hexamethyldisiloxane        C[Si](C)(C)O[Si](C)(C)C                     -
octamethylcyclotetrasiloxane  C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O[Si](C)(C)O1  -
"""

"""Name, SMILES, and families; ``-`` where it is of none."""

DERIVATIVES = """
palmitic_acid_TMS      CCCCCCCCCCCCCCCC(=O)O[Si](C)(C)C     CCCCCCCCCCCCCCCC(=O)O
ethanol_TMS            CCO[Si](C)(C)C                       CCO
phenol_TBDMS           CC(C)(C)[Si](C)(C)Oc1ccccc1          Oc1ccccc1
butanethiol_TMS        CCCCS[Si](C)(C)C                     CCCCS
aniline_2TMS           C[Si](C)(C)N(c1ccccc1)[Si](C)(C)C    Nc1ccccc1
indole_TMS             C[Si](C)(C)n1ccc2ccccc12             c1ccc2[nH]ccc2c1
alanine_2TMS           C[C@H](N[Si](C)(C)C)C(=O)O[Si](C)(C)C                     C[C@H](N)C(=O)O
alanine_2TBDMS         CC(N[Si](C)(C)C(C)(C)C)C(=O)O[Si](C)(C)C(C)(C)C           CC(N)C(=O)O
ethanol_TMS_d9         CCO[Si](C([2H])([2H])[2H])(C([2H])([2H])[2H])C([2H])([2H])[2H]  CCO
phosphate_3TMS         C[Si](C)(C)OP(=O)(O[Si](C)(C)C)O[Si](C)(C)C               OP(O)(O)=O
pyruvate_MEOX_TMS      CC(=NOC)C(=O)O[Si](C)(C)C                                 CC(=O)C(=O)O
glucose_MEOX_5TMS      CO/N=C/C(O[Si](C)(C)C)C(O[Si](C)(C)C)C(O[Si](C)(C)C)C(O[Si](C)(C)C)CO[Si](C)(C)C  OCC(O)C(O)C(O)C(O)C=O
cyclohexanone_MEOX     CON=C1CCCCC1                         O=C1CCCCC1
butanone_MEOX          CO/N=C(/C)CC                         CCC(C)=O
hexane                 CCCCCC                               CCCCCC
allyl_TMS              C=CC[Si](C)(C)C                      C=CC[Si](C)(C)C
chlorotrimethylsilane  C[Si](C)(C)Cl                        C[Si](C)(C)Cl
hexamethyldisilazane   C[Si](C)(C)N[Si](C)(C)C              C[Si](C)(C)N[Si](C)(C)C
hexamethyldisiloxane   C[Si](C)(C)O[Si](C)(C)C              C[Si](C)(C)O[Si](C)(C)C
octamethyltrisiloxane  C[Si](C)(C)O[Si](C)(C)O[Si](C)(C)C   C[Si](C)(C)O[Si](C)(C)O[Si](C)(C)C
acetone_oxime          CC(C)=NO                             CC(C)=NO
acetone_ethoxime       CC(C)=NOCC                           CC(C)=NOCC
O-methyl_acetamidoxime CC(N)=NOC                            CC(N)=NOC
methyl_acetohydroximate  CC(OC)=NOC                         CC(OC)=NOC
"""  # noqa: E501
"""Name, SMILES, and SMILES of the parent; the last ones are no derivatives."""


def rows(text: str) -> list[list[str]]:
    """Cells of a table that is written as text."""
    return [line.split(maxsplit=2) for line in text.strip().splitlines()]
