"""Who speaks when: from decoded audio to turns, and from turns to the speakers of words.

===================  ===========================================================================
`features`           log-mel filterbanks as Kaldi computes them
`segmentation`       pyannote's segmentation-3.0: up to three voices in windows of 10 s
`embedding`          3D-Speaker's CAM++: a voice as 192 numbers
`clustering`         which of these belong to one person
`turns`              activity and clusters become turns
`diarizer`           all of it, block by block
`attach`             words and segments get their speakers
===================  ===========================================================================
"""
