"""Estimators and transformers of scikit-learn: gale in pipelines, searches and cross-validation.

`classifier` trains models, `features` computes what they see of runs, `inputs` tells runs from
tables of features, and `labels` takes what scikit-learn calls ``y``. Nothing is imported here, so
that features need no torch.
"""
