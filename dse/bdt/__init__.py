"""Boosted trees: trained with xgboost or scikit-learn, converted by conifer, emulated bit by bit."""
